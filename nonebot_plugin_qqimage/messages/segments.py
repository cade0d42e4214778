"""Segments: what one of them says about an image.

Implementations differ in every field, and any field may be absent, of another type, or hostile.
Here all of that becomes an `ImageReference`.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, cast

from nonebot.adapters.onebot.v11 import MessageSegment

from .names.named_md5 import md5_in_fields
from .reference import ImageReference
from .texts.served import ServedText, received
from .texts.text_part import TextPart

ORIGINALS = {"url": "qqimage_original_url", "file": "qqimage_original_file"}
"""Where segments kept the value that the implementation gave a field, after an earlier release had
put a URL of this bot into it. Plugins have saved such segments."""
_KEPT = frozenset(ORIGINALS.values())
KINDS = frozenset(("image", "mface", "file"))
"""The types of segments that may refer to an image: images, market faces, shared files."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_FILE = 1024
"""Characters of a file name or an id. Longer ones are hostile, and names are kept in the store."""
_MAX_URL = 8192
"""Characters of a URL; QQ's have about 300, and other hosts refuse longer ones than this."""
_MAX_CONTENT = 1 << 27
"""Characters of an image inside a segment (base64 of 96 MiB), which is more than any frame has."""
_CONTENT = ("base64://", "data:")
_PATH = "file:"
"""What only this bot itself may say: nobody else's words open a file."""
_FACE_URL = "https://gxh.vip.qq.com/club/item/parcel/item/{}/{}/raw300.gif"
_FACE_ID = re.compile("[0-9a-f]{32}")
_IMAGE_FILES = frozenset(
    (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif")
)


def from_segment(
    segment: object,
    self_id: str = "",
    message_id: str = "",
    position: int = 0,
    *,
    sent: bool = False,
    own: bool = False,
    chat: str = "",
    forwarded: bool = False,
    one_of_several: bool = False,
) -> ImageReference | None:
    """The image a segment refers to, or None when it refers to none.

    Args:
        segment: a `MessageSegment` or a mapping with ``type`` and ``data``.
        self_id: the bot that received it.
        message_id: the message it stands in.
        position: its place among the images of the message, from 0.
        sent: whether this bot sends it, so that it may name a file of this machine.
        own: whether this bot sent the message.
        chat: the chat of the message, as in `Sighting.chat`.
        forwarded: whether it stands in a forwarded record.
        one_of_several: whether its message has other images, too.
    """
    kind, data = parts_of(segment)
    if kind == "file":
        shared = from_shared_file(data, self_id)
        return shared and replace(shared, own=own, chat=chat, forwarded=forwarded)
    if kind not in KINDS:
        return None
    data = originals(data)
    part, url = cast(object, data.get("file")), _url(data, "url")
    file, content = _text(data, "file", _MAX_CONTENT), ""
    if isinstance(part, TextPart):
        content = part if part.startswith(_CONTENT) and len(part) <= _MAX_CONTENT else ""
    elif file.startswith(_CONTENT):
        content, file = file, ""
    elif file[:5].lower() == _PATH:
        content, file = file if sent and len(file) <= _MAX_FILE else "", ""
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
        own=own and not face_id,
        chat=chat,
        forwarded=forwarded,
        one_of_several=one_of_several,
        named_md5="" if face_id else md5_in_fields(data),
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


def originals(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The data of a segment as it was received, without the URLs of this bot put in since.

    It is the argument itself where nothing was put in.
    """
    data = cast(Mapping[str, Any], received(data)) if _has_served(data) else data
    if data.keys().isdisjoint(_KEPT):
        return data
    restored = dict(data)
    for name, kept in ORIGINALS.items():
        if kept in restored:
            restored[name] = restored.pop(kept)
            if restored[name] is None:  # it had none
                del restored[name]
    return restored


def _has_served(data: Mapping[str, Any]) -> bool:
    return type(data.get("url")) is ServedText or type(data.get("file")) is ServedText


def parts_of(segment: object) -> tuple[str, Mapping[str, Any]]:
    """The type and data of a `MessageSegment`, or of a mapping with both; else two empty ones."""
    if isinstance(segment, MessageSegment):
        kind, data = cast(object, segment.type), cast(object, segment.data)
    elif isinstance(segment, Mapping):
        fields = cast(Mapping[str, object], segment)
        kind, data = fields.get("type"), fields.get("data")
    else:
        return "", {}
    # a dict first, for nearly all are, and to be a Mapping takes ten times as long to find out
    if not isinstance(kind, str) or not isinstance(data, (dict, Mapping)):
        return "", {}
    return kind, cast(Mapping[str, Any], data)


def id_in(data: Mapping[str, Any]) -> str:
    """The ``id`` of a forwarded record, which is text or a number; empty when there is none."""
    value = data.get("id")
    return str(value) if value and isinstance(value, int) else _text(data, "id", _MAX_FILE)


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
