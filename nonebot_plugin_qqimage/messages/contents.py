"""Where messages and forwarded records have their content, which differs by implementation."""

from collections.abc import Mapping
from typing import Any, cast


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
