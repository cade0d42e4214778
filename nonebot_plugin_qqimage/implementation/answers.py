"""The answers of implementations, parsed into our types. Shapes differ; no field is reliable."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from ..messages.names.link_key import Kind

_KEY_LIFE = 3600.0
"""Seconds after which a key is not used any more, even if its implementation announces longer."""
_KINDS: dict[object, Kind] = {"private": "private", "group": "group", 10: "private", 20: "group"}


@dataclass(frozen=True)
class ImageAnswer:
    """What ``get_image`` or ``get_file`` answered. Every field may be empty or wrong."""

    base64: str = ""
    """The content, inlined, with or without a ``base64://`` prefix."""
    file: str = ""
    """A path on the implementation's host."""
    url: str = ""
    """An http(s) URL, usually with a fresh key."""
    size: int | None = field(default=None, compare=False)
    """Bytes of the content, as it says."""
    file_declined: bool = False
    """Whether the implementation was asked not to write a file."""


@dataclass(frozen=True)
class Key:
    """An ``rkey``, which opens the pictures of one kind for a while."""

    value: str
    """The key itself, without ``&rkey=``."""
    expires: float
    """Until when it is used, in seconds since the epoch."""
    life: float = 0.0
    """Seconds for which such keys live from when they are made; 0 where nobody said it."""


def image_answer(data: object) -> ImageAnswer:
    """An answer of ``get_image`` or ``get_file``, of any implementation."""
    fields = _mapping(data)
    file, url = _text(fields, "file"), _text(fields, "url")
    if is_link(file):
        file, url = "", url if is_link(url) else file
    size = int(_number(fields.get("file_size")) or _number(fields.get("size"))) or None
    url = url if is_link(url) else ""
    return ImageAnswer(base64=_text(fields, "base64"), file=file, url=url, size=size)


def keys(data: object) -> dict[Kind, Key]:
    """The keys in an answer of ``get_rkey`` or its relatives, in any of their shapes.

    LuckyLilliaBot ``{private_key, group_key, expired_time}``; NapCat ``[{type, rkey, created_at,
    ttl}]`` with types in words or as 10 and 20, and ``{private_rkey, group_rkey, expired_time}``;
    Lagrange ``{rkeys: [...]}``; SnowLuma a list with ``create_time``, and types 2, 10 and 20.
    """
    found: dict[Kind, Key] = {}
    fields = _mapping(data)
    for entry in _list(data) or _list(fields.get("rkeys")):
        each = _mapping(entry)
        kind = _KINDS.get(_hashable(each.get("type")))
        made = max(_number(each.get(name)) for name in ("created_at", "create_time", "time"))
        life = _number(each.get("ttl"))
        if kind is not None:
            _add(found, kind, each.get("rkey"), made + life, life)
    for kind in ("private", "group"):
        value = fields.get(f"{kind}_key") or fields.get(f"{kind}_rkey")
        _add(found, kind, value, _number(fields.get("expired_time")))
    return found


def _add(
    found: dict[Kind, Key], kind: Kind, value: object, expires: float, life: float = 0.0
) -> None:
    if not isinstance(value, str):
        return
    value = value.rpartition("rkey=")[2].strip()
    now = time.time()
    if value:
        plausible = now < expires < now + _KEY_LIFE
        found[kind] = Key(value, expires if plausible else now + _KEY_LIFE, life)


def version_info(data: object) -> tuple[str, tuple[int, ...]]:
    """What an implementation calls itself, and its version; "unknown" and () if it does not say."""
    fields = _mapping(data)
    numbers = re.findall(r"\d{1,9}", _text(fields, "app_version")[:64])
    return _text(fields, "app_name")[:64] or "unknown", tuple(map(int, numbers[:3]))


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


def is_link(value: object) -> bool:
    """Whether a field of an answer, which may be anything, holds an http(s) URL."""
    return isinstance(value, str) and value[:8].lower().startswith(("http://", "https://"))
