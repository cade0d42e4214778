"""Segments written as CQ codes."""

from collections.abc import Iterable
from typing import Any, cast

Segment = dict[str, Any]
"""``{"type": …, "data": {…}}``"""


def cq_codes(segments: Iterable[Segment], *, keep_empty: bool) -> str:
    """Write segments as one string; NapCat leaves out empty values, LuckyLilliaBot keeps them."""
    return "".join(_code(segment, keep_empty) for segment in segments)


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
