"""Served URLs inside other text: sentences, CQ codes, JSON, XML, or the queries of other URLs."""

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import NamedTuple
from urllib.parse import quote, unquote

from nonebot.adapters.onebot.v11.utils import escape

from .urls import PARAMETER, token_of

_BACKSLASHES = r"\\{1,64}"
"""Of JSON inside JSON, six times at most: a search for any number of them would take long."""
_PERCENT = "%(?:25){0,8}"
"""Of the query of another URL's query, and so on."""
_MARK = re.compile(
    rf"{PARAMETER}(?:=|{_PERCENT}3[Dd]|{_BACKSLASHES}u003[Dd]|&(?:#61|#[Xx]3[Dd]|equals);)"
    "([A-Za-z0-9_-]{23,})"
)
_LONGEST = 24 * 1024
"""Characters before a token in which its URL begins; the query of a segment's link is repeated."""
_STARTS = 8
"""Places where it may begin: others are inside of it, as a link in its own query."""
_MAX_MENTIONS = 2000
"""Served URLs in one text; each takes some µs, and most of a plugin's lists have far fewer."""
_LONG = 1 << 16
"""Characters of a text beyond which words are looked for only where an equals sign stands."""
_MAX_SIGNS = 10_000
"""Equals signs in such a text that are looked at."""
_QUOTES = re.compile(r"[\s\"'\\<>]")


class Mention(NamedTuple):
    """A served URL in a text."""

    start: int
    """Where it begins."""
    end: int
    """Where it ends."""
    url: str
    """The URL itself."""
    write: Callable[[str], str]
    """Writes another URL as this one is written, such as with escapes."""


def mentions(text: str) -> Iterator[Mention]:
    """The served URLs in a text, in order; whether they are of this bot only a secret can say."""
    if len(text) > _LONG and not _may_mention(text):
        return
    before = found = 0
    for mark in _MARK.finditer(text):
        mention = _mention(text, max(before, mark.start() - _LONGEST), mark.start(), mark.end())
        if mention is not None:
            yield mention
            found += 1
        before = mark.end()
        if found >= _MAX_MENTIONS:
            return


def _may_mention(text: str) -> bool:
    """Whether a very long text, such as an image in base64, may have a served URL in it.

    A single character is found far faster than a word, and base64 has no equals sign inside.
    """
    at = -1
    for _ in range(_MAX_SIGNS):
        at = text.find("=", at + 1)
        if at < 0:
            return False
        if text.endswith(PARAMETER, 0, at):
            return True
    return True


def _mention(text: str, lowest: int, highest: int, end: int) -> Mention | None:
    start = highest
    for _ in range(_STARTS):
        start = text.rfind("http", lowest, start)
        if start < 0:
            return None
        url, write = _writing(text[start:end])
        if token_of(url):
            return Mention(start, end, url, write)
    return None


def _writing(written: str) -> tuple[str, Callable[[str], str]]:
    """The URL that is written so, and what writes another one in the same way."""
    if re.match(rf"https?:(?:{_BACKSLASHES}/){{2}}", written):
        plain = re.sub(rf"{_BACKSLASHES}/", "/", _without_codes(written))
        return plain, lambda url: json.dumps(url)[1:-1].replace("/", "\\/")
    if match := re.match(rf"https?({_PERCENT})3A", written, re.IGNORECASE):
        times = match[1].count("25") + 1
        return _repeated(unquote, written, times), lambda url: _repeated(_quoted, url, times)
    plain = _without_codes(written)
    if "&amp;" in plain or "&#" in plain:
        return unescape(plain), lambda url: escape(_plain(url))
    return plain, _plain


def _without_codes(text: str) -> str:
    """The text without the codes that JSON may have for an ampersand and an equals sign."""
    code = rf"{_BACKSLASHES}u00(26|3d)"
    return re.sub(code, lambda it: chr(int(it[1], 16)), text, flags=re.IGNORECASE)


def _plain(url: str) -> str:
    return _QUOTES.sub(lambda it: quote(it[0]), url)


def _quoted(url: str) -> str:
    return quote(url, safe="")


def _repeated(change: Callable[[str], str], text: str, times: int) -> str:
    for _ in range(times):
        text = change(text)
    return text
