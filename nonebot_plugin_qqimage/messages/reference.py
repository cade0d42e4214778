"""References: what segments say about images we may not have yet.

Implementations differ in every field and any field may be absent, of another type, or hostile;
this module turns all of that into `ImageReference`, once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, cast

from nonebot.adapters.onebot.v11 import MessageSegment

ORIGINALS = {"url": "qqimage_original_url", "file": "qqimage_original_file"}
"""Where a segment keeps the own value of a field that was given a URL of ours."""
_MD5_STEM = re.compile(r"(?P<md5>[0-9a-fA-F]{32})(\.[0-9a-zA-Z]{1,8})?")
_URI = re.compile(r"qqimage:(?P<sha256>[0-9a-f]{64})")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_FILE = 1024
_MAX_URL = 8192
_MAX_CONTENT = 1 << 27
_CONTENT = ("base64://", "data:", "file://")
_FACE_URL = "https://gxh.vip.qq.com/club/item/parcel/item/{}/{}/raw300.gif"
_FACE_ID = re.compile("[0-9a-f]{32}")
_IMAGE_FILES = frozenset(
    (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif")
)


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
    content: str = field(default="", repr=False)
    """The image itself, or the path of it, where ``file`` is ``base64://``, ``data:`` or a path."""
    file_id: str = ""
    """The id of a shared file; empty for anything else."""
    group_id: int = 0
    """The group a shared file was uploaded to; 0 for anything else."""
    forwarded: bool = False
    """Whether it stands in a forwarded record."""
    own: bool = False
    """Whether this bot sent it."""

    @property
    def md5(self) -> str:
        """The MD5 its file name promises, in lower case; empty when the name promises none.

        Usually, but not always, that of the content:
        https://github.com/NapNeko/NapCatQQ/issues/458
        """
        match = None if self.file_id else _MD5_STEM.fullmatch(self.file)
        return match["md5"].lower() if match else ""

    @property
    def key(self) -> str:
        """What this image is fetched under: references with equal keys share one flight."""
        return self.known_by[0] if self.known_by else self.own_key

    @property
    def own_key(self) -> str:
        """The same, for when its file name has turned out to promise another image."""
        if self.sha256:
            return self.key
        said = (self.self_id, self.file, self.url, hash(self.content))
        return self.name or f"segment:{said}"

    @property
    def name(self) -> str:
        """The name that stands for this image alone, whatever its file is called.

        A market face is the same everywhere; anything else is only what stands at this place of
        this message. Empty for a segment that belongs to no message.
        """
        if self.face_id:
            return f"face:{self.face_id}"
        if self.file_id:
            return f"file:{self.self_id}:{self.file_id}"
        if not self.message_id:
            return ""
        place = f"{self.self_id}:{self.message_id}:{self.position}"
        return f"own:{place}" if self.own else f"message:{place}:{self.file}"

    @property
    def names(self) -> tuple[str, ...]:
        """Every name under which it may be known: its own, and that of what this bot sent there."""
        if not self.message_id or self.own or self.face_id or self.file_id:
            return (self.name,) if self.name else ()
        return self.name, f"own:{self.self_id}:{self.message_id}:{self.position}"

    @cached_property
    def known_by(self) -> tuple[str, ...]:
        """All that may say which image it is: what is promised of the content, then its names."""
        if self.sha256:
            return (f"sha256:{self.sha256}",)
        md5 = self.md5
        return (f"md5:{md5}:{self.size or ''}", *self.names) if md5 else self.names

    @property
    def bare(self) -> bool:
        """Whether it says only which image it is, and no way to it."""
        return not (self.file or self.url or self.content or self.file_id or self.message_id)

    @property
    def held(self) -> int:
        """Bytes of memory that the reference itself holds on to."""
        return len(self.content)

    def __str__(self) -> str:
        if self.face_id:
            what = f"market face {self.face_id}"
        elif self.file_id:
            what = f"shared file {self.file or self.file_id}"
        elif self.file or self.sha256:
            what = f"image {self.file or 'qqimage:' + self.sha256}"
        else:
            what = "image without a file name"
        where = f" of message {self.message_id}" if self.message_id else ""
        return what + where + (f" (bot {self.self_id})" if self.self_id else "")


def from_segment(
    segment: object, self_id: str = "", message_id: str = "", position: int = 0
) -> ImageReference | None:
    """The image a segment refers to, or None when it refers to none."""
    kind, data = parts_of(segment)
    if kind == "file":
        return from_shared_file(data, self_id)
    if kind not in ("image", "mface"):
        return None
    data = originals(data)
    file, url, content = _text(data, "file", _MAX_CONTENT), _url(data, "url"), ""
    if file.startswith(_CONTENT):
        content, file = file, ""
    elif "://" in file[:16]:
        # Lagrange puts the URL there; no implementation's get_image understands it
        url, file = url or _url(data, "file"), ""
    face_id = _text(data, "emoji_id", 64)
    if not url and _FACE_ID.fullmatch(face_id):
        url = _FACE_URL.format(face_id[:2], face_id)
    return ImageReference(
        self_id=self_id,
        message_id=message_id,
        position=position,
        # the "file" of a market face is invented by the implementation; get_image cannot resolve it
        file="" if face_id or len(file) > _MAX_FILE else file,
        url=url,
        size=_size(data.get("file_size")),
        face_id=face_id,
        sticker=bool(face_id)
        or kind == "mface"
        or data.get("sub_type") in (1, "1")
        or data.get("subType") in (1, "1"),
        content=content,
    )


def from_shared_file(
    data: Mapping[str, Any], self_id: str, group_id: int = 0
) -> ImageReference | None:
    """The image that a shared file is by its name, or None.

    Args:
        data: the data of a ``file`` segment, or the ``file`` of a ``group_upload`` notice.
        self_id: the bot that received it.
        group_id: the group it was uploaded to.
    """
    name = _text(data, "file", _MAX_FILE) or _text(data, "name", _MAX_FILE)
    file_id = _text(data, "file_id", _MAX_FILE) or _text(data, "id", _MAX_FILE)
    if not file_id or PurePosixPath(name.lower()).suffix not in _IMAGE_FILES:
        return None
    return ImageReference(
        self_id=self_id,
        file=name,
        url=_url(data, "url"),
        size=_size(data.get("file_size", data.get("size"))),
        file_id=file_id,
        group_id=group_id,
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


def originals(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The data of a segment as it was received, where fields were given URLs of ours since."""
    if data.keys().isdisjoint(ORIGINALS.values()):
        return data
    restored = dict(data)
    for name, kept in ORIGINALS.items():
        if kept in restored:
            restored[name] = restored.pop(kept)
            if restored[name] is None:  # it had none
                del restored[name]
    return restored


def parts_of(segment: object) -> tuple[str, Mapping[str, Any]]:
    """The type and the data of a segment, a `MessageSegment` or a mapping; empty for neither."""
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
    return value if value.isascii() or not _SURROGATE.search(value) else ""


def _url(data: Mapping[str, Any], field: str) -> str:
    # some parsers leave CQ escapes in: https://github.com/LLOneBot/LuckyLilliaBot/issues/171
    url = _text(data, field, _MAX_URL).strip().replace("&amp;", "&")
    return url if url[:8].lower().startswith(("http://", "https://")) else ""


def _size(value: object) -> int | None:
    """A declared size; implementations send it as a string or as a number."""
    if isinstance(value, str) and len(value) <= 15 and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value < 1 << 40 else None
