"""Segments written as CQ codes, and read from them."""

import re
from collections.abc import Iterable
from typing import Any, cast

Segment = dict[str, Any]
"""``{"type": …, "data": {…}}``"""

_CODE = re.compile(r"\[CQ:([a-z]+),?([^\]]*)\]")


def cq_codes(segments: Iterable[Segment], *, keep_empty: bool) -> str:
    """Write segments as one string; NapCat leaves out empty values, LuckyLilliaBot keeps them."""
    return "".join(_code(segment, keep_empty) for segment in segments)


def read_cq_codes(text: str) -> list[Segment]:
    """Read the segments in a string."""
    segments: list[Segment] = []
    end = 0
    for code in _CODE.finditer(text):
        if code.start() > end:
            segments.append(_text(text[end : code.start()]))
        pairs = (field.partition("=") for field in code[2].split(",") if field)
        data = {name: _plain(value) for name, _, value in pairs}
        segments.append({"type": code[1], "data": data})
        end = code.end()
    if end < len(text):
        segments.append(_text(text[end:]))
    return segments


def _text(text: str) -> Segment:
    return {"type": "text", "data": {"text": _plain(text)}}


def _plain(text: str) -> str:
    for escaped, plain in (("&#44;", ","), ("&#91;", "["), ("&#93;", "]"), ("&amp;", "&")):
        text = text.replace(escaped, plain)
    return text


def _code(segment: Segment, keep_empty: bool) -> str:
    kind, data = segment["type"], segment["data"]
    if kind == "text":
        return _escape(str(data["text"]))
    fields = [f"CQ:{kind}"]
    for name, value in data.items():
        if value in ("", None) and not keep_empty:
            continue
        fields.append(f"{name}={_escape(_as_javascript(value)).replace(',', '&#44;')}")
    return f"[{','.join(fields)}]"


def _as_javascript(value: Any) -> str:
    # NapCat does write the content of a forwarded record like this.
    if isinstance(value, list):
        return ",".join("[object Object]" for _ in cast(list[Any], value))
    return str(value)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("[", "&#91;").replace("]", "&#93;")
