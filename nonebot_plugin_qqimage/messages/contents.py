"""Where messages and forwarded records have their content, which differs by implementation."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from nonebot.adapters.onebot.v11 import Message, MessageSegment
from nonebot.adapters.onebot.v11.utils import unescape

from .segments import parts_of
from .texts.text_part import TextPart

_MAX_PARSED = 1 << 16
"""Characters of CQ codes that NoneBot's parser is given: it takes some ns for each, and one message
may have 10 MB of base64, while nothing but its images is looked for."""
_CODE = "[CQ:"
_BRIEF = 8192
"""Characters of a value that tell what it is, if not all of it: no URL of ours has more."""
_MAX_CODES = 500
"""Codes of such a text that are read."""
_MAX_BRACKETS = 10_000
"""Places in it where a code may begin; base64 has none."""
_MAX_PARAMETERS = 64
"""Parameters of one of its codes."""


def message_content(data: object) -> object:
    """The content of a message as APIs answer it: segments, or CQ codes; an empty list for none.

    It is ``message`` in ``get_msg`` and in NapCat's forwarded records, ``content`` in those of
    LuckyLilliaBot and go-cqhttp, and ``data.content`` in the nodes of the OneBot standard.
    """
    place, field = content_place(data)
    content = place.get(field)
    return content if isinstance(content, str) else segments_of(content)


def content_place(data: object) -> tuple[Mapping[str, Any], str]:
    """The mapping inside a message that holds its content, and the name of the field.

    Both are empty where there is no content. See `message_content` for the fields that are tried.
    The content may also be a single segment, as plugins write nodes that are sent.
    """
    fields = _mapping(data)
    for place in (fields, _mapping(fields.get("data"))):
        for field in ("message", "content"):
            content = cast(object, place.get(field))
            if isinstance(content, (str, list)) or parts_of(content)[0]:
                return place, field
    return {}, ""


def forward_nodes(data: object) -> list[object]:
    """The messages in an answer of ``get_forward_msg`` or ``get_group_msg_history``.

    They are in ``messages``, in ``message`` (the OneBot standard), or the answer is their list.
    """
    fields = _mapping(data)
    return _list(data) or _list(fields.get("messages")) or _list(fields.get("message"))


def segments_of(content: object, *, brief: bool = False) -> list[object]:
    """The segments of a message's content: of a message, a list, one segment, or CQ codes.

    Of very long CQ codes only the codes themselves are given, without the text between them.

    Args:
        content: the content.
        brief: whether of very long CQ codes only the beginning of each value is wanted.
    """
    if isinstance(content, list):  # first, for nearly every content is one
        return cast(list[object], content)
    if isinstance(content, str):
        if len(content) > _MAX_PARSED:
            return list[object](_codes(content, _BRIEF if brief else len(content)))
        return cast(list[object], Message(content))
    if isinstance(content, (MessageSegment, Mapping)):
        return [cast(object, content)]
    return []


def _codes(text: str, longest: int) -> Iterator[dict[str, Any]]:
    """The CQ codes in a text, found by searching for single characters, which is fast."""
    at, codes = -1, 0
    for _ in range(_MAX_BRACKETS):
        at = text.find("[", at + 1)
        if at < 0 or codes >= _MAX_CODES:
            return
        if not text.startswith(_CODE, at):
            continue
        end = text.find("]", at)
        if end < 0:
            return
        codes += 1
        yield _code(text, at + len(_CODE), end, longest)
        at = end


def _code(text: str, start: int, end: int, longest: int) -> dict[str, Any]:
    """The code between two places. A long value, which may be an image, is not copied."""
    data: dict[str, str | TextPart] = {}
    comma = _until(text, ",", start, end)
    kind, at = text[start:comma], comma + 1
    for _ in range(_MAX_PARAMETERS):
        if at >= end:
            break
        comma = _until(text, ",", at, end)
        equals = _until(text, "=", at, comma)
        if equals < comma:
            value = TextPart(text, equals + 1, min(comma, equals + 1 + longest))
            short = len(value) <= _MAX_PARSED  # nothing has to be escaped in base64
            data[text[at:equals].lstrip()] = unescape(value[:]) if short else value
        at = comma + 1
    return {"type": kind, "data": data}


def _until(text: str, character: str, start: int, end: int) -> int:
    at = text.find(character, start, end)
    return end if at < 0 else at


def _mapping(value: object) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return cast(list[object], value) if isinstance(value, list) else []
