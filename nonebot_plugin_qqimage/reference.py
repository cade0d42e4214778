"""References: what segments say about images we may not have yet, and finding them in messages.

Peers differ in every field and any field may be absent, of another type, or hostile;
this module turns all of that into `ImageReference`, once.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from nonebot.adapters.onebot.v11 import MessageEvent, MessageSegment

_MD5_STEM = re.compile(r"(?P<md5>[0-9a-fA-F]{32})(\.[0-9a-zA-Z]{1,8})?")
_URI = re.compile(r"qqimage:(?P<sha256>[0-9a-f]{64})")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_FILE = 1024
_MAX_URL = 8192
_MAX_IMAGES = 100
"""Images looked at in one message; QQ itself allows far fewer."""


@dataclass(frozen=True)
class ImageReference:
    """What one segment says about one image.

    Two references with equal `key` are fetched once; see `names` for how long that holds.
    """

    self_id: str = ""
    """The bot that received it."""
    message_id: str = ""
    """The message it stands in; empty for a segment that belongs to none."""
    position: int = 0
    """Its place among the images of that message, from 0."""
    file: str = ""
    """The segment's ``file``, which ``get_image`` understands; empty when there is none."""
    url: str = ""
    """The segment's http(s) URL; empty when there is none."""
    size: int | None = None
    """The size in bytes that the segment declares."""
    face_id: str = ""
    """The ``emoji_id`` of a market face; empty for anything else."""
    sha256: str = ""
    """The SHA-256 of the content where it is known already, as from a ``qqimage:`` URI."""
    sticker: bool = False
    """Whether it was sent as a sticker (sub type 1, or a market face)."""

    @property
    def md5(self) -> str:
        """The MD5 its file name promises, in lower case; empty when the name promises none.

        Usually, but not always, that of the content:
        https://github.com/NapNeko/NapCatQQ/issues/458
        """
        match = _MD5_STEM.fullmatch(self.file)
        return match["md5"].lower() if match else ""

    @property
    def key(self) -> str:
        """What this image is fetched under: references with equal keys share one flight."""
        return f"md5:{self.md5}:{self.size or ''}" if self.md5 else self.own_key

    @property
    def own_key(self) -> str:
        """The same, for when its file name has turned out to promise another image."""
        return self.name or f"segment:{self.self_id}:{self.file}:{self.url}:{self.sha256}"

    @property
    def name(self) -> str:
        """The name that stands for this image alone, whatever its file is called.

        A market face is the same everywhere; anything else is only what stands at this place of
        this message. Empty for a segment that belongs to no message.
        """
        if self.face_id:
            return f"face:{self.face_id}"
        if not self.message_id:
            return ""
        return f"message:{self.self_id}:{self.message_id}:{self.position}:{self.file}"

    def __str__(self) -> str:
        if self.face_id:
            what = f"market face {self.face_id}"
        elif self.file or self.sha256:
            what = f"image {self.file or 'qqimage:' + self.sha256}"
        else:
            what = "image without a file name"
        where = f" of message {self.message_id}" if self.message_id else ""
        return what + where + (f" (bot {self.self_id})" if self.self_id else "")


def find_in_event(event: MessageEvent) -> tuple[list[ImageReference], list[ImageReference]]:
    """The images of an event's message, and those of the message it quotes."""
    self_id = str(event.self_id)
    own = find_in_message(event.message, self_id, str(event.message_id))
    if event.reply is None:
        return own, []
    return own, find_in_message(event.reply.message, self_id, str(event.reply.message_id))


def find_in_message(
    message: Iterable[object], self_id: str = "", message_id: str = ""
) -> list[ImageReference]:
    """The images among these segments (`MessageSegment` or plain mappings), in order."""
    found: list[ImageReference] = []
    for segment in message:
        reference = from_segment(segment, self_id, message_id, len(found))
        if reference is not None:
            found.append(reference)
            if len(found) == _MAX_IMAGES:
                break
    return found


def from_segment(
    segment: object, self_id: str = "", message_id: str = "", position: int = 0
) -> ImageReference | None:
    """The image a segment refers to, or None when it is no image segment."""
    kind, data = _parts(segment)
    if kind not in ("image", "mface"):
        return None
    file, url = _text(data, "file", _MAX_FILE), _url(data, "url")
    if "://" in file or file.startswith("data:"):
        # Lagrange puts the URL into `file`; no peer's get_image understands any such value
        url, file = url or _url(data, "file"), ""
    face_id = _text(data, "emoji_id", 64)
    return ImageReference(
        self_id=self_id,
        message_id=message_id,
        position=position,
        # the "file" of a market face is an invention of the peer that get_image cannot resolve
        file="" if face_id else file,
        url=url,
        size=_size(data.get("file_size")),
        face_id=face_id,
        sticker=bool(face_id)
        or kind == "mface"
        or data.get("sub_type") in (1, "1")
        or data.get("subType") in (1, "1"),
    )


def from_uri(uri: str) -> ImageReference:
    """The image that a ``qqimage:<sha256>`` URI names.

    Raises:
        ValueError: it is no such URI.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise ValueError(f"not a qqimage:<sha256> URI: {uri[:100]!r}")
    return ImageReference(sha256=match["sha256"])


def _parts(segment: object) -> tuple[str, Mapping[str, Any]]:
    if isinstance(segment, MessageSegment):
        kind, data = cast(object, segment.type), cast(object, segment.data)
    elif isinstance(segment, Mapping):
        fields = cast(Mapping[str, object], segment)
        kind, data = fields.get("type"), fields.get("data")
    else:
        return "", {}
    if not isinstance(kind, str) or not isinstance(data, Mapping):
        return "", {}
    return kind, cast(Mapping[str, Any], data)


def _text(data: Mapping[str, Any], field: str, limit: int) -> str:
    value = data.get(field)
    if not isinstance(value, str) or len(value) > limit:
        return ""
    # half an emoji, as JSON can carry it, fits into no URL and no database
    return "" if _SURROGATE.search(value) else value


def _url(data: Mapping[str, Any], field: str) -> str:
    # some parsers leave CQ escapes in: https://github.com/LLOneBot/LuckyLilliaBot/issues/171
    url = _text(data, field, _MAX_URL).strip().replace("&amp;", "&")
    return url if url[:8].lower().startswith(("http://", "https://")) else ""


def _size(value: object) -> int | None:
    """A declared size; peers send it as a string or as a number."""
    if isinstance(value, str) and len(value) <= 15 and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value < 1 << 40 else None
