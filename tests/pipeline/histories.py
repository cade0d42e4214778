"""QQ as a model knows it: who really sent what, and what servers and implementations make of it."""

import base64
import hashlib
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import parse_qs, urlsplit

from nonebot.adapters.onebot.v11 import (
    ActionFailed,
    Adapter,
    Bot,
    GroupMessageEvent,
    Message,
    MessageEvent,
    MessageSegment,
    PrivateMessageEvent,
)

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.errors import Attempt, AttemptFailed, Cause
from nonebot_plugin_qqimage.fetch.fetcher import Fetched, Fetcher
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.simulator.image_host.fileid import new_fileid

from .. import samples

# the last two have one size
PICTURES = [samples.png(shade=1), samples.png(shade=2, filler=40), samples.png(shade=3, filler=90)]
PICTURES.append(PICTURES[2].replace(b"x", b"y", 1))
LinkKind = Literal["true", "lying", "unreadable", "plain", "none"]
NameKind = Literal["md5", "guid", "field", "another's md5", "generic", "none"]
SizeKind = Literal["true", "another's", "none"]
CHATS = ("group:1", "group:2", "private:5")


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


@dataclass(eq=False)
class Upload:
    """A picture on the image host."""

    number: int
    picture: int
    declared: int
    """The picture whose SHA-1 and size its fileid says."""
    kind: LinkKind
    private: bool
    dead: bool = False
    fileid: str = ""

    def __post_init__(self) -> None:
        if self.kind == "unreadable":
            self.fileid = f"__unreadable-{self.number:06}-{'x' * 20}"
        elif self.kind in ("true", "lying"):
            data = PICTURES[self.declared]
            self.fileid = new_fileid(data, "private" if self.private else "group")

    def url(self, key: str) -> str:
        if self.kind == "none":
            return ""
        if self.kind == "plain":
            return f"http://gchat.qpic.cn/elsewhere/{self.number}"
        appid = 1406 if self.private else 1407
        return f"https://multimedia.nt.qq.com.cn/download?appid={appid}&fileid={self.fileid}&rkey={key}"


@dataclass(eq=False)
class Segment:
    """How one implementation tells of an upload."""

    upload: Upload
    data: dict[str, Any]
    """Of the segment, without its URL."""

    def told(self, key: str) -> dict[str, Any]:
        url = self.upload.url(key)
        data = {**self.data, "url": url}
        if not data.get("file"):
            data["file"] = url
        return {"type": "image", "data": data}


def segment(
    upload: Upload, name: NameKind, size: SizeKind, another: int, *, key: str = ""
) -> Segment:
    """What an implementation says of an upload whose sender chose name and size."""
    right, wrong = PICTURES[upload.picture], PICTURES[another]
    digest = md5(right)
    guid = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:])).upper()
    data: dict[str, Any] = {
        "md5": {"file": f"{digest.upper()}.png"},
        "guid": {"file": f"{{{guid}}}.jpg"},
        "field": {"filename": f"{digest}.jpg"},
        "another's md5": {"file": f"{md5(wrong).upper()}.png"},
        "generic": {"file": "image.png"},
        "none": {},
    }[name]
    sizes = {"true": len(right), "another's": len(wrong), "none": None}
    if sizes[size] is not None:
        data["file_size"] = str(sizes[size])
    return Segment(upload, data)


def message_of(content: list[dict[str, Any]]) -> Message:
    return Message([MessageSegment(**each) for each in content])


@dataclass(eq=False)
class Told:
    """A message as one bot was told of it."""

    bot: str
    chat: str
    message_id: int
    segments: list[Segment]
    key: str
    own: bool = False
    quoted: "Told | None" = None
    removed: set[int] = field(default_factory=set)
    """Segments that a plugin has taken out since."""

    def content(self, key: str = "") -> list[dict[str, Any]]:
        return [
            each.told(key or self.key)
            for number, each in enumerate(self.segments)
            if number not in self.removed
        ]

    def left(self) -> list[Segment]:
        return [each for number, each in enumerate(self.segments) if number not in self.removed]

    def event(self) -> MessageEvent:
        kind, _, number = self.chat.partition(":")
        user = int(self.bot) if self.own else 5
        fields: dict[str, Any] = {
            "time": 1_700_000_000 + self.message_id,
            "self_id": int(self.bot),
            "post_type": "message",
            "message_type": kind,
            "sub_type": "normal",
            "message_id": self.message_id,
            "user_id": user,
            "message": message_of(self.content()),
            "original_message": Message(),
            "raw_message": "",
            "font": 0,
            "sender": {"user_id": user},
        }
        if self.own and kind == "private":
            fields["target_id"] = int(number)
        if self.quoted is not None:
            fields["reply"] = {
                "time": fields["time"] - 1,
                "message_type": kind,
                "message_id": self.quoted.message_id,
                "real_id": self.quoted.message_id,
                "sender": {"user_id": int(self.bot) if self.quoted.own else 5},
                "message": message_of(self.quoted.content()),
            }
        if kind == "group":
            return GroupMessageEvent(**fields, group_id=int(number))
        return PrivateMessageEvent(**fields)


class QQ:
    """The image host, and what each bot's implementation was told."""

    def __init__(self, *, gives_keys: bool) -> None:
        self.gives_keys = gives_keys
        self.uploads: list[Upload] = []
        self.told: list[Told] = []
        self.fetched: list[ImageReference] = []
        self._keys = itertools.count(1)
        self.key = "key0"

    def upload(self, picture: int, declared: int, kind: LinkKind, *, private: bool) -> Upload:
        if kind != "lying":
            declared = picture
        upload = Upload(len(self.uploads), picture, declared, kind, private)
        self.uploads.append(upload)
        return upload

    def expire_keys(self) -> None:
        self.key = f"key{next(self._keys)}"

    def reachable(self, segment: Segment, told: Told) -> bool:
        """Whether the link of a segment brings its picture."""
        upload = segment.upload
        if upload.kind == "none" or upload.dead:
            return False
        return upload.kind == "plain" or told.key == self.key or self.gives_keys

    def download(self, url: str) -> bytes:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        for upload in self.uploads:
            named = upload.fileid and upload.fileid == query.get("fileid", [""])[0]
            if named or (upload.kind == "plain" and parts.path.endswith(f"/{upload.number}")):
                if upload.dead or (named and query.get("rkey") != [self.key]):
                    raise AttemptFailed(Cause.EXPIRED, "dead")
                return PICTURES[upload.picture]
        raise AttemptFailed(Cause.NOT_FOUND, "never there")

    def newest(self, bot: str, file: str) -> Segment | None:
        """What an implementation finds by a name."""
        for told in reversed(self.told):
            for each in told.segments:
                if told.bot == bot and each.data.get("file") == file:
                    return each
        return None

    def call(self, bot: str, api: str, data: dict[str, Any]) -> object:
        if api == "get_image" and (found := self.newest(bot, data["file"])):
            upload = found.upload
            if bot == "20":  # keeps what it has downloaded
                return {"base64": base64.b64encode(PICTURES[upload.picture]).decode()}
            url = upload.url(self.key if self.gives_keys else "key0")
            return {"file": url, "url": url}
        if api == "get_msg":
            for told in reversed(self.told):
                if (told.bot, told.message_id) == (bot, data["message_id"]):
                    key = self.key if self.gives_keys else told.key
                    return {"message_id": told.message_id, "message": told.content(key)}
        if api == "get_rkey" and self.gives_keys:
            keys = {"private_key": self.key, "group_key": self.key, "expired_time": 0}
            return keys
        if api == "get_version_info":
            return {"app_name": "NapCat.Onebot", "app_version": "4.18.19"}
        raise ActionFailed(status="failed", retcode=100, wording="image not found in cache")


class ToldBot(Bot):
    """A bot whose implementation knows what it was told."""

    def __init__(self, self_id: str, qq: QQ) -> None:
        super().__init__(cast(Adapter, None), self_id)
        self._qq = qq

    async def call_api(self, api: str, **data: Any) -> Any:
        return self._qq.call(self.self_id, api, data)


class Sources(Fetcher):
    """Tries every source in order, as a bot does, but with downloads from the model."""

    def __init__(self, config: ScopedConfig, qq: QQ) -> None:
        super().__init__(config)
        self._qq = qq
        self._downloader = cast(Any, self)

    async def fetch(
        self, reference: ImageReference, *others: Any
    ) -> tuple[Fetched | None, tuple[Attempt, ...]]:
        self._qq.fetched.append(reference)
        return await super().fetch(reference, *others)

    async def get(self, url: str, _: object) -> bytes:
        return self._qq.download(url)

    async def close(self) -> None:
        pass


def claims_fit(told: dict[str, Any], segment: Segment, picture: int) -> tuple[bool, bool]:
    """Whether a picture fits all that a segment says, and whether a digest of it is among that."""
    names = [f"{told['data'].get(name, '')}" for name in ("file", "filename")]
    digests = {name.strip("{}").replace("-", "").replace("}", "").lower()[:32] for name in names}
    digests = {
        each for each in digests if len(each) == 32 and not set(each) - set("0123456789abcdef")
    }
    size, right = told["data"].get("file_size"), PICTURES[picture]
    fits = digests <= {md5(right)} and size in (None, str(len(right)))
    says = segment.upload.kind in ("true", "lying")
    if says and segment.upload.declared != picture:
        fits = False
    return fits, bool(digests or says)


def pictures(datas: Iterable[bytes]) -> set[int]:
    return {PICTURES.index(data) for data in datas}
