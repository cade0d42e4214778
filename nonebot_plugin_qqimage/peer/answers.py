"""What peers answer, parsed into our types; the shapes differ and no field can be relied on."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

Kind = Literal["private", "group"]
"""What a picture was sent to; keys for the one do not open the other."""

_KEY_LIFE = 3600.0
"""Seconds a key is believed in at the most, whatever its peer says of it."""
_KINDS: dict[object, Kind] = {"private": "private", "group": "group", 10: "private", 20: "group"}


@dataclass(frozen=True)
class ImageAnswer:
    """What ``get_image`` or ``get_file`` answered. Every field may be empty or wrong."""

    base64: str = ""
    """The content, inlined, with or without a ``base64://`` prefix."""
    file: str = ""
    """A path on the peer's host."""
    url: str = ""
    """An http(s) URL, usually with a fresh key."""


@dataclass(frozen=True)
class Key:
    """An ``rkey``, which opens the pictures of one kind for a while."""

    value: str
    """Without its ``&rkey=``."""
    expires: float
    """Until when it is believed in, in seconds since the epoch."""


def image_answer(data: object) -> ImageAnswer:
    """An answer of ``get_image`` or ``get_file``, of any implementation."""
    fields = _mapping(data)
    file, url = _text(fields, "file"), _text(fields, "url")
    if _is_url(file):
        file, url = "", url if _is_url(url) else file
    return ImageAnswer(base64=_text(fields, "base64"), file=file, url=url if _is_url(url) else "")


def keys(data: object) -> dict[Kind, Key]:
    """The keys in an answer of ``get_rkey`` or its relatives, in any of their four shapes.

    LuckyLilliaBot ``{private_key, group_key, expired_time}``; NapCat ``[{type, rkey, created_at,
    ttl}]`` with types in words or as 10 and 20, and ``{private_rkey, group_rkey, expired_time}``;
    Lagrange ``{rkeys: [...]}``.
    """
    found: dict[Kind, Key] = {}
    fields = _mapping(data)
    for entry in _list(data) or _list(fields.get("rkeys")):
        each = _mapping(entry)
        kind = _KINDS.get(_hashable(each.get("type")))
        made = _number(each.get("created_at")) or _number(each.get("time"))
        if kind is not None:
            _add(found, kind, each.get("rkey"), made + _number(each.get("ttl")))
    for kind in ("private", "group"):
        value = fields.get(f"{kind}_key") or fields.get(f"{kind}_rkey")
        _add(found, kind, value, _number(fields.get("expired_time")))
    return found


def _add(found: dict[Kind, Key], kind: Kind, value: object, expires: float) -> None:
    if not isinstance(value, str):
        return
    value = value.rpartition("rkey=")[2].strip()
    now = time.time()
    if value:
        believed = expires if now < expires < now + _KEY_LIFE else now + _KEY_LIFE
        found[kind] = Key(value, believed)


def version_info(data: object) -> tuple[str, tuple[int, ...]]:
    """What a peer calls itself, and its version; "unknown" and nothing when it does not say."""
    fields = _mapping(data)
    numbers = re.findall(r"\d{1,9}", _text(fields, "app_version")[:64])
    return _text(fields, "app_name")[:64] or "unknown", tuple(map(int, numbers[:3]))


def message_content(data: object) -> object:
    """The content of a message, wherever its implementation puts it: segments or CQ codes.

    ``message`` in ``get_msg`` and in NapCat's forwards, ``content`` in LuckyLilliaBot's and
    go-cqhttp's, ``data.content`` in the standard's nodes.
    """
    place, field = content_place(data)
    return place.get(field, [])


def content_place(data: object) -> tuple[Mapping[str, Any], str]:
    """Which part of a message has its content, and under which name; see `message_content`."""
    fields = _mapping(data)
    for place in (fields, _mapping(fields.get("data"))):
        for field in ("message", "content"):
            if isinstance(place.get(field), (str, list)):
                return place, field
    return {}, ""


def forward_nodes(data: object) -> list[object]:
    """The messages in a forwarded record: ``messages``, or ``message`` in the standard."""
    fields = _mapping(data)
    return _list(data) or _list(fields.get("messages")) or _list(fields.get("message"))


def _mapping(value: object) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return cast(list[object], value) if isinstance(value, list) else []


def _text(fields: Mapping[str, Any], field: str) -> str:
    value = fields.get(field)
    return value if isinstance(value, str) else ""


def _number(value: object) -> float:
    if isinstance(value, str) and len(value) < 20 and value.isascii() and value.isdigit():
        value = int(value)
    return float(value) if isinstance(value, (int, float)) and 0 <= value < 1 << 40 else 0.0


def _hashable(value: object) -> object:
    return value if isinstance(value, (str, int)) else None


def _is_url(text: str) -> bool:
    return text[:8].lower().startswith(("http://", "https://"))
