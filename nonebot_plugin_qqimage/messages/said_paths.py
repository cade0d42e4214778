"""Paths that received messages say, by which nobody may make this bot open its own files.

Whoever writes ``file:///…`` into a message only has to wait for a plugin that sends it again. What
this bot sends may name a file, but not one that somebody has said to it.
"""

import re
from hashlib import blake2b
from typing import cast
from urllib.parse import unquote

from nonebot.adapters.onebot.v11 import MessageSegment

_URI = re.compile(r"file:[^\s,\]\"'<>]{1,2048}", re.IGNORECASE)
_SCHEME = len("file")
_SLASHES = re.compile(r"[\\/]+")
EVERY_PATH = "*"
"""Stands for the digest of every path, where a message says more than anybody can look at."""
_MAX_FOUND = 100
"""Paths of one message; only who means harm says more, to hide one behind the others."""
_MAX_DEPTH = 12
"""Levels of a message that are looked at."""
_MAX_COLONS = 4_000
"""Places in one text that are looked at; base64 has none."""


def said_paths(content: object) -> set[str]:
    """Digests of the ``file:`` URIs in a received message, in whatever field or text they stand.

    Args:
        content: the message, or an answer that holds messages.
    """
    found: set[str] = set()
    left = _MAX_FOUND
    for text in _texts(content):
        at = 0
        for _ in range(_MAX_COLONS):
            colon = text.find(":", at)  # a character is found fast, also in 10 MB of base64
            if colon < 0:
                break
            match = _URI.match(text, max(colon - _SCHEME, 0))
            at = colon + 1
            if match:
                found.add(path_digest(match[0]))
                left -= 1
            if left < 0:
                return {EVERY_PATH}
        else:
            return {*found, EVERY_PATH}
    return found


def path_digest(uri: str) -> str:
    """A digest of what a ``file:`` URI names: equal for other spellings of the same path."""
    text = uri.replace("&amp;", "&").replace("&#44;", ",").replace("&#91;", "[")
    path = unquote(text.replace("&#93;", "]"))[len("file:") :]
    path = _SLASHES.sub("/", path).removeprefix("/localhost").strip("/").casefold()
    return blake2b(path.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _texts(content: object) -> list[str]:
    """Every text in a content, however deep: in lists and dicts, as JSON is parsed into."""
    texts: list[str] = []
    level = [content]
    for _ in range(_MAX_DEPTH + 1):
        inside: list[object] = []
        for value in level:
            if isinstance(value, str):
                texts.append(value)
            elif isinstance(value, list):
                inside.extend(cast(list[object], value))  # with += it became a Message, too
            elif isinstance(value, dict):
                inside.extend(cast(dict[str, object], value).values())
            elif isinstance(value, MessageSegment):
                inside.extend(cast(dict[str, object], value.data).values())
        if not inside:
            break
        level = inside
    return texts
