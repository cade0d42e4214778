"""SnowLuma 1: writes links alone, downloads nothing, and knows a picture by its uploader's name.

Read in the sources of 1.11 (https://github.com/SnowLuma/SnowLuma, July 2026) and in reports of
its users up to 1.14.
"""

from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from ..cq_code import Segment
from ..messages import Forward, MarketFace, Message, Picture, SharedFile
from .about import about, face_as_image, sender
from .answers import Action, Answer, Json, Over, Refused, TokenRefusal
from .base import Flavour

_RETCODES = {"failed": 100, "bad request": 1400, "unknown": 1404}
_CACHED = 4096
"""Pictures it can be asked for: the newest ones."""
_KEY_TYPES = {"private": 10, "group": 20}


@dataclass(frozen=True)
class _Row:
    part: Picture
    url: str
    """As it was when the picture arrived."""


class SnowLuma(Flavour):
    """SnowLuma 1.11.1, unless the settings name another version."""

    app_name = "SnowLuma"
    app_version = "1.11.1-node"
    signed_ids = True
    tells_of_uploads = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.unsigned_links = False
        """Whether links have no key, as while it cannot get one (1.9.3, 1.10.3, 1.13.0)."""
        self.gives_keys = True
        """Whether it can get keys when it is asked for them; if not, it says ``ok`` and ``[]``."""
        self.blank_in_forwards: Literal["url", "url and file"] | None = None
        """What is empty in pictures of forwarded records (1.14.12 and 1.14.15)."""
        # In a database in the real one, so a restart loses nothing.
        self._cache: dict[str, _Row] = {}

    def remember(self, message: Message) -> None:
        """Know a message and, under their names, its pictures; a newer one takes a name over."""
        super().remember(message)
        for part in message.parts:
            if isinstance(part, Picture) and part.given is None:
                self._cache.pop(part.name, None)
                self._cache[part.name] = _Row(part, self._url(part))
                if len(self._cache) > _CACHED:
                    del self._cache[next(iter(self._cache))]

    def picture(self, part: Picture, message: Message) -> Json:
        """Write the data of a picture; nothing is known of one which the bot sent by a call."""
        if part.given is not None:
            return _image("", part.given, part)
        return _image(self._url(part), part.name, part, flash=self.since(1, 12))

    def shared_file(self, part: SharedFile, message: Message) -> Json:
        """Write the data of a file, each thing under several names."""
        size = len(part.hosted.data)
        return {
            "file": part.name,
            "file_id": part.file_id,
            "file_size": size,
            "name": part.name,
            "size": size,
            "id": part.file_id,
            "url": "",
            "file_hash": part.hosted.md5,
        }

    def market_face(self, part: MarketFace) -> Segment:
        """Write a face from the shop, which looks like a picture and cannot be asked for."""
        written = face_as_image(super().market_face(part))
        written["data"]["sub_type"] = 0
        return written

    def raw(self, segments: list[Segment]) -> str:
        """Give segments as CQ codes, in which a picture has two fields and no more."""
        return super().raw([_without_extras(segment) for segment in segments])

    def write_whole(self, message: Message) -> Json:
        """Write a message as in ``get_msg``: one name has one link, that of its newest picture."""
        written = self.write_event(message)
        segments = self.segments(message)
        for segment in segments:
            row = self._cache.get(str(segment["data"].get("file")))
            if segment["type"] == "image" and row is not None:
                segment["data"]["url"] = self._url(row.part)
        del written["post_type"], written["self_id"]
        written |= {"message": self.content(segments), "real_id": message.seq}
        if message.own and message.kind == "private":
            written["target_id"] = message.implementation_id
        return written

    def write_event(self, message: Message) -> Json:
        """Write the event for a message."""
        segments = self.segments(message)
        return {
            **self._about(message),
            "raw_message": self.raw(segments),
            "message": self.content(segments),
            "message_format": self.settings.message_format,
            "font": 0,
            "post_type": "message_sent" if message.own else "message",
        }

    def actions(self) -> dict[str, Action]:
        """Name the actions there are."""
        return {
            **super().actions(),
            "get_image": self.get_image,
            "get_file": self.get_file,
            "get_rkey": self.get_rkey,
            "nc_get_rkey": self.get_rkey,
            "get_rkey_server": self.get_rkey_server,
            "get_group_file_url": self.get_group_file_url,
        }

    def ok(self, data: Any) -> Json:
        """Write an answer that says all went well."""
        return {"status": "ok", "retcode": 0, "data": data}

    def refuse(self, action: str, refusal: Refused, over: Over) -> Answer:
        """Write an answer that says why not, in ``wording`` alone."""
        text = "unknown action" if refusal.why == "unknown" else refusal.message
        retcode = _RETCODES[refusal.why]
        return Answer({"status": "failed", "retcode": retcode, "data": None, "wording": text})

    def refuse_token(self) -> TokenRefusal:
        """Say what a client with a wrong token gets: over a WebSocket an end without a word."""
        body = {"status": "failed", "retcode": 1401, "data": None, "wording": "unauthorized"}
        return TokenRefusal(401, body, None, 1008, "unauthorized")

    def why_unsendable(self, message: Message) -> str:
        """Refuse pictures in temporary sessions, as QQ does."""
        pictures = any(isinstance(part, Picture) for part in message.parts)
        return "OIDB 170019003" if message.temporary_group and pictures else ""

    async def get_forward_msg(self, params: Json) -> Json:
        """Give the messages in a forwarded record, which may be inside another one.

        ``id`` names the record; ``message_id`` its message, unless that is negative.
        """
        wanted = str(params.get("id") or "")
        if not wanted:
            message_id = params.get("message_id")
            wanted = str(message_id or "")
            if isinstance(message_id, int) and message_id > 0:
                parts = self.known_message(message_id).parts
                found = (part.forward_id for part in parts if isinstance(part, Forward))
                wanted = next(found, wanted)
        forward = self.messages.forwards(nested=True).get(wanted)
        if forward is None:
            raise Refused("download forward message payload is empty")
        return {"messages": [self._node(node) for node in forward.nodes]}

    async def get_image(self, params: Json) -> Json:
        """Say where a picture is: the link stands in the place of a path, too."""
        row = self._find(params)
        if row is None:
            raise Refused("image not found in cache")
        url = self._url(row.part) if self.since(1, 9, 3) else row.url
        return {
            "file": url or row.part.name,
            "url": url,
            "file_size": str(row.part.size),
            "file_name": row.part.name,
        }

    async def get_file(self, params: Json) -> Json:
        """Give pictures alone, and no files."""
        if self._find(params) is None:
            raise Refused("file_id not found in the image/voice cache")
        return await self.get_image(params)

    async def get_rkey(self, params: Json) -> list[Json]:
        """Give the keys of the key server; the last one opens no pictures."""
        if not self.gives_keys:
            return []
        keys = (self.cdn.keys.current("private"), self.cdn.keys.current("group"))
        given = [(_KEY_TYPES[key.kind], key.value, key) for key in keys]
        return [
            {
                "rkey": f"&rkey={value}",
                "type": number,
                "ttl": int(key.ttl),
                "create_time": int(key.created_at),
            }
            for number, value, key in [*given, (2, "OTHER1", keys[0])]
        ]

    async def get_rkey_server(self, params: Json) -> Json:
        """Give the same keys in another form."""
        if not self.gives_keys:
            raise Refused("no download rkey available")
        private, group = self.cdn.keys.current("private"), self.cdn.keys.current("group")
        return {
            "expired_time": int(self.cdn.keys.now() + self.cdn.keys.ttl),
            "name": self.app_name,
            "private_rkey": f"&rkey={private.value}",
            "group_rkey": f"&rkey={group.value}",
        }

    async def get_group_file_url(self, params: Json) -> Json:
        """Give the URL of a file in a group."""
        hosted = self.cdn.find(str(params.get("file_id")))
        if hosted is None or hosted.form != "file":
            raise Refused("file not found")
        return {"url": self.cdn.url(hosted) + quote(hosted.md5)}

    def forget(self) -> None:
        """Lose everything noted so far, on disk too."""
        super().forget()
        self._cache.clear()

    def known_message(self, message_id: Any) -> Message:
        """Give a message by its id."""
        try:
            return super().known_message(message_id)
        except Refused:
            raise Refused("message not found") from None

    def _find(self, params: Json) -> _Row | None:
        for name in ("file", "file_id"):
            if not isinstance(params.get(name, ""), str):
                raise Refused(f"{name}: must be a string", "bad request")
        wanted: str = params.get("file") or params.get("file_id") or ""
        if not wanted:
            raise Refused("file is required", "bad request")
        by_url = (row for row in self._cache.values() if row.url == wanted)
        return self._cache.get(wanted) or next(by_url, None)

    def _url(self, part: Picture) -> str:
        return self.cdn.url(part.hosted, key="") if self.unsigned_links else self.signed_url(part)

    def _about(self, message: Message) -> Json:
        about_it = about(message, self.settings.self_id)
        return {**about_it, "message_seq": message.seq, "sender": sender(message)}

    def _node(self, node: Message) -> Json:
        segments = self.segments(node)
        for part, segment in zip(node.parts, segments, strict=True):
            if isinstance(part, Picture):
                # Read back from QQ, which keeps no name of what the bot itself put there.
                blank = "url and file" if part.given is not None else self.blank_in_forwards
                segment["data"] |= {"url": ""} if blank else {}
                segment["data"] |= {"file": "", "summary": ""} if blank == "url and file" else {}
        return {
            **self._about(node),
            "real_id": node.seq,
            "raw_message": "",
            "message": segments,
            "message_format": "array",
            "post_type": "message",
        }


def _image(url: str, file: str, part: Picture, *, flash: bool = False) -> Json:
    """Write the four fields of a picture, of which none is its size."""
    summary = "[动画表情]" if part.sticker else "[图片]"
    data: Json = {"url": url, "file": file, "sub_type": int(part.sticker), "summary": summary}
    if part.flash:
        data["summary"] = "[flash image]"
        if flash:
            data["type"] = "flash"
    return data


def _without_extras(segment: Segment) -> Segment:
    if segment["type"] != "image":
        return segment
    kept = {name: segment["data"][name] for name in ("file", "url")}
    return {"type": "image", "data": kept}
