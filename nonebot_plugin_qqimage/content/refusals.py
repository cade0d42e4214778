"""What came in the place of an image, in words: pages, texts and files of other types."""

import codecs
import json
import re

from ..errors import AttemptFailed, Cause
from ..language import Text
from .formats.signatures import other_type

_START = 4096
"""Bytes looked at to tell what a text is."""
_SHOWN = 80
"""Characters of a text that are shown."""
_SHOWN_JSON = 200
"""Characters of JSON that are shown; what an API says is worth more."""
_EXPIRED = ("-5503007", "-5503010")
"""What QQ's image host answers for a link that is dead."""
_CODE = re.compile(r'"retcode"\s*:\s*(-?\d+)')
_ELEMENT = re.compile(r"<([a-z][\w.:-]*)")
_HTML = {
    *("html", "head", "body", "title", "meta", "link", "script", "style", "center", "div", "p"),
    *("h1", "h2", "h3", "pre", "table", "br", "a", "b", "img", "span", "form", "iframe"),
}
_SPACE = " \t\r\n\f"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def not_an_image(data: bytes) -> AttemptFailed:
    """Why these bytes are refused, which are no image.

    Args:
        data: the bytes.
    """
    if not data:
        return AttemptFailed(Cause.REJECTED, Text("an empty body"))
    text = _text(data[:_START])
    if text is None:
        kind, size, shown = other_type(data), len(data), data[:16].hex(" ")
        if kind:
            words = Text(
                "{kind} ({size} bytes), which is no known image: {text}",
                kind=kind,
                size=size,
                text=shown,
            )
        else:
            words = Text("{size} bytes that are no known image: {text}", size=size, text=shown)
        return AttemptFailed(Cause.REJECTED, words)
    if text.startswith(("{", "[")):
        found, shown = _CODE.search(text), _cleaned(text, _SHOWN_JSON)
        if found and found[1] in _EXPIRED:
            return AttemptFailed(Cause.EXPIRED, shown)
        return AttemptFailed(Cause.REJECTED, Text("JSON instead of an image: {text}", text=shown))
    shown = json.dumps(_cleaned(text, _SHOWN), ensure_ascii=False)
    return AttemptFailed(
        Cause.REJECTED, _words(other_type(data) or _markup(text), len(data), shown)
    )


def _words(kind: str, size: int, shown: str) -> Text:
    if kind == "HTML":
        return Text("HTML instead of an image: {text}", text=shown)
    if kind == "SVG":
        return Text("SVG, which is a drawing in text and no known image: {text}", text=shown)
    if kind == "XML":
        return Text("XML instead of an image: {text}", text=shown)
    if kind:
        return Text(
            "{kind} ({size} bytes), which is no known image: {text}",
            kind=kind,
            size=size,
            text=shown,
        )
    return Text("text of {size} bytes, no known image: {text}", size=size, text=shown)


def _text(start: bytes) -> str | None:
    """The beginning of a text without blanks before it; None where these bytes are no text."""
    encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
    for name in (encoding, "gb18030"):  # as pages in China are where they are not in UTF-8
        try:
            text = codecs.getincrementaldecoder(name)().decode(start)
        except UnicodeDecodeError:
            continue
        text = text.lstrip("\ufeff" + _SPACE)
        controls = sum(character < " " and character not in _SPACE for character in text)
        return text if controls == 0 else None
    return None


def _markup(text: str) -> str:
    """Which markup a text is written in; empty where it is none."""
    if not text.startswith("<"):
        return ""
    rest, declared = text.lower(), text[:5].lower() == "<?xml"
    if "<!doctype html" in rest[:_START]:
        return "HTML"
    while rest.startswith(("<?", "<!")):
        rest = rest.partition("-->" if rest.startswith("<!--") else ">")[2].lstrip(_SPACE)
    found = _ELEMENT.search(rest)
    root = found[1].rpartition(":")[2] if found else ""
    if root == "svg":
        return "SVG"
    return "HTML" if root in _HTML else "XML" if root or declared else ""


def _cleaned(text: str, size: int) -> str:
    """The beginning of a text on one line, without characters that could do anything."""
    words = " ".join(text.split())
    return "".join(character for character in words if character.isprintable())[:size]
