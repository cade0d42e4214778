"""What works where: the outcome expected for each implementation, place and kind of picture.

Written down from what is known of each implementation, before it was tried. A word is the source
that gives the bytes, a word after ✗ the error and the cure that its hint has to name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

SOURCES = {
    "file": "file in the answer",
    "base64": "base64 in the answer",
    "fresh": "url in the answer",
    "url": "url of the segment",
    "key": "url with a fresh key",
    "get_msg": "url in get_msg",
    "store": "store",
}
NOTHING = "—"
"""The message holds no picture at all: go-cqhttp writes market faces as text."""


@dataclass(frozen=True)
class Failure:
    """An error, and what its hint says and does not say."""

    error: str
    says: tuple[str, ...]
    omits: tuple[str, ...] = ()


_PROXY = ("QQIMAGE__PROXY", "QQIMAGE__MIRRORS")
_SHARE = ("QQIMAGE__PATH_MAP", "enableLocalFile2Url")
FAILURES = {
    "✗host": Failure("ImageUnavailable", _PROXY, (*_SHARE, "TIMEOUT")),
    "✗share": Failure("ImageUnavailable", (*_PROXY, *_SHARE)),
    "✗key": Failure("ImageExpired", ("get_rkey", "sent again"), (*_PROXY, *_SHARE)),
    "✗keys": Failure("ImageExpired", ("get_rkey", "sent again", *_SHARE), _PROXY),
    "✗own": Failure("ImageUnavailable", ("QQIMAGE__OWN_IMAGES",)),
}
KINDS = ("group", "private", "sticker", "quoted", "elsewhere", "forwarded", "own", "face")
"""A quoted picture is from before the bot connected; "elsewhere" is one that the bot's account sent
from another device (``message_sent``), "own" one that a plugin sent, quoted later."""

PLACES = {
    "same host": "all is well, and the bot can read the implementation's files",
    "other host": "all is well, but the implementation's files are not readable here",
    "path map": "the same, but the folder is shared and QQIMAGE__PATH_MAP says where",
    "refused": "other host, and the image host refuses the bot alone",
    "refused, map": "path map, and the image host refuses the bot alone",
    "expired": "same host, and the link's key dies on its way to the bot",
    "expired, other": "other host, and the link's key dies on its way to the bot",
    "rotated": "same host, and the keys the implementation has are dead before their time",
    "rotated, other": "other host, and the keys the implementation has are dead before their time",
    "down": "same host, and the image host serves nobody",
    "down, other": "other host, and the image host serves nobody",
    "restarted": "same host, and the implementation has restarted since it told of the message",
    "map, later": "path map, but the folder was shared only after two pictures had come",
}

# Where the first prediction was wrong, or could not be kept:
# - "refused", luckylilliabot-8: once its files have turned out unreadable, it is asked for links
#   alone, so the hint of the next failure left the shared folder out. The core now says so.
# - "own": an implementation that reports the bot's messages does so before the call that sent
#   them returns.
#   Lagrange's report says nothing of the picture, and that failure was remembered for 30 seconds,
#   although the store had the picture by then. The core now looks there first. (For other
#   implementations the report starts a fetch by name, which a quote in that very moment joins: the
#   right bytes, by
#   one more source than need be. So only Lagrange reports them here.)
# - "expired", 3.24, elsewhere: get_msg was not asked for pictures of the bot's own account.
# - "rotated" and "down" in 3.24, "expired" in go-cqhttp: they say ok and name a file that is not
#   there, or no picture. That looks like a folder which is not shared, so the hint names this, too.
#
# SnowLuma downloads nothing, so no folder of it is any use: links are all there is, and its answers
# name a link where others name a path.
#
# "restarted": NapCat keeps messages and names in memory alone, so what is left of them are links
# in events; quoted messages and forwarded records from before are gone.
#
# "map, later": LuckyLilliaBot downloads a file anew at each call, and nobody deletes it. So it is
# asked for links alone once its files have turned out unreadable, until the last of them can be
# read.
#
# Faces have a link without a key, which is all there is of them, on every implementation.
#
# Forwarded pictures: the link first, as it has just been made. Then get_image, which finds
# them in 3.24, 8 and go-cqhttp (looked up by name alone), but neither in 3.29 nor in NapCat, whose
# kernel does not know the messages inside a record, nor in SnowLuma, which does not note them.
_TABLE = """
luckylilliabot-3.24  group    private  sticker  quoted   elsewhere  forwarded  own    face
same host            file     file     file     file     file       url        store  url
other host           fresh    fresh    fresh    fresh    fresh      url        store  url
path map             file     file     file     file     file       url        store  url
refused              ✗share   ✗share   ✗share   ✗share   ✗share     ✗share     store  ✗host
refused, map         file     file     file     file     file       file       store  ✗host
expired              get_msg  get_msg  get_msg  file     get_msg    url        store  url
expired, other       get_msg  get_msg  get_msg  fresh    get_msg    url        store  url
rotated              ✗keys    ✗keys    ✗keys    ✗keys    ✗keys      ✗keys      store  url
rotated, other       ✗keys    ✗keys    ✗keys    ✗keys    ✗keys      ✗keys      store  url
down                 ✗share   ✗share   ✗share   ✗share   ✗share     ✗share     store  ✗host
down, other          ✗share   ✗share   ✗share   ✗share   ✗share     ✗share     store  ✗host
restarted            file     file     file     file     file       url        store  url
map, later           file     file     file     file     file       url        store  url

luckylilliabot-3.29  group    private  sticker  quoted   elsewhere  forwarded  own    face
same host            file     file     file     file     file       url        store  url
other host           fresh    fresh    fresh    fresh    fresh      url        store  url
path map             file     file     file     file     file       url        store  url
refused              ✗share   ✗share   ✗share   ✗share   ✗share     ✗host      store  ✗host
refused, map         file     file     file     file     file       ✗host      store  ✗host
expired              file     file     file     file     file       url        store  url
expired, other       fresh    fresh    fresh    fresh    fresh      url        store  url
rotated              file     file     file     file     file       ✗key       store  url
rotated, other       ✗keys    ✗keys    ✗keys    ✗keys    ✗keys      ✗key       store  url
down                 file     file     file     file     file       ✗host      store  ✗host
down, other          ✗share   ✗share   ✗share   ✗share   ✗share     ✗host      store  ✗host
restarted            file     file     file     file     file       url        store  url
map, later           file     file     file     file     file       url        store  url

luckylilliabot-8     group    private  sticker  quoted   elsewhere  forwarded  own    face
same host            file     file     file     file     file       url        store  url
other host           fresh    fresh    fresh    fresh    fresh      url        store  url
path map             file     file     file     file     file       url        store  url
refused              ✗share   ✗share   ✗share   ✗share   ✗share     ✗share     store  ✗host
refused, map         file     file     file     file     file       file       store  ✗host
expired              file     file     file     file     file       url        store  url
expired, other       fresh    fresh    fresh    fresh    fresh      url        store  url
rotated              key      key      key      key      key        key        store  url
rotated, other       key      key      key      key      key        key        store  url
down                 ✗host    ✗host    ✗host    ✗host    ✗host      ✗host      store  ✗host
down, other          ✗host    ✗host    ✗host    ✗host    ✗host      ✗host      store  ✗host
restarted            file     file     file     file     file       url        store  url
map, later           file     file     file     file     file       url        store  url

napcat               group    private  sticker  quoted   elsewhere  forwarded  own    face
same host            file     file     file     file     file       url        store  url
other host           fresh    fresh    fresh    fresh    fresh      url        store  url
path map             file     file     file     file     file       url        store  url
refused              ✗share   ✗share   ✗share   ✗share   ✗share     ✗host      store  ✗host
refused, map         file     file     file     file     file       ✗host      store  ✗host
expired              file     file     file     file     file       url        store  url
expired, other       fresh    fresh    fresh    fresh    fresh      url        store  url
rotated              file     file     file     file     file       key        store  url
rotated, other       key      key      key      key      key        key        store  url
down                 file     file     file     file     file       ✗host      store  ✗host
down, other          ✗share   ✗share   ✗share   ✗share   ✗share     ✗host      store  ✗host
restarted            url      url      url      —        url        —          store  url
map, later           file     file     file     file     file       url        store  url

napcat, base64       group    private  sticker  quoted   elsewhere  forwarded  own    face
same host            base64   base64   base64   base64   base64     url        store  url
other host           base64   base64   base64   base64   base64     url        store  url
path map             base64   base64   base64   base64   base64     url        store  url
refused              base64   base64   base64   base64   base64     ✗host      store  ✗host
refused, map         base64   base64   base64   base64   base64     ✗host      store  ✗host
expired              base64   base64   base64   base64   base64     url        store  url
expired, other       base64   base64   base64   base64   base64     url        store  url
rotated              base64   base64   base64   base64   base64     key        store  url
rotated, other       base64   base64   base64   base64   base64     key        store  url
down                 base64   base64   base64   base64   base64     ✗host      store  ✗host
down, other          base64   base64   base64   base64   base64     ✗host      store  ✗host
restarted            url      url      url      —        url        —          store  url
map, later           base64   base64   base64   base64   base64     url        store  url

snowluma             group    private  sticker  quoted   elsewhere  forwarded  own    face
same host            fresh    fresh    fresh    fresh    fresh      url        store  url
other host           fresh    fresh    fresh    fresh    fresh      url        store  url
path map             fresh    fresh    fresh    fresh    fresh      url        store  url
refused              ✗host    ✗host    ✗host    ✗host    ✗host      ✗host      store  ✗host
refused, map         ✗host    ✗host    ✗host    ✗host    ✗host      ✗host      store  ✗host
expired              fresh    fresh    fresh    fresh    fresh      url        store  url
expired, other       fresh    fresh    fresh    fresh    fresh      url        store  url
rotated              key      key      key      key      key        key        store  url
rotated, other       key      key      key      key      key        key        store  url
down                 ✗host    ✗host    ✗host    ✗host    ✗host      ✗host      store  ✗host
down, other          ✗host    ✗host    ✗host    ✗host    ✗host      ✗host      store  ✗host
restarted            fresh    fresh    fresh    fresh    fresh      url        store  url
map, later           fresh    fresh    fresh    fresh    fresh      url        store  url

lagrange             group    private  sticker  quoted   elsewhere  forwarded  own    face
same host            url      url      url      url      ✗own       url        store  url
other host           url      url      url      url      ✗own       url        store  url
path map             url      url      url      url      ✗own       url        store  url
refused              ✗host    ✗host    ✗host    ✗host    ✗own       ✗host      store  ✗host
refused, map         ✗host    ✗host    ✗host    ✗host    ✗own       ✗host      store  ✗host
expired              key      key      key      key      ✗own       url        store  url
expired, other       key      key      key      key      ✗own       url        store  url
rotated              key      key      key      key      ✗own       key        store  url
rotated, other       key      key      key      key      ✗own       key        store  url
down                 ✗host    ✗host    ✗host    ✗host    ✗own       ✗host      store  ✗host
down, other          ✗host    ✗host    ✗host    ✗host    ✗own       ✗host      store  ✗host
restarted            url      url      url      url      ✗own       url        store  url
map, later           url      url      url      url      ✗own       url        store  url

gocqhttp             group    private  sticker  quoted   elsewhere  forwarded  own    face
same host            fresh    fresh    fresh    fresh    fresh      url        store  —
other host           fresh    fresh    fresh    fresh    fresh      url        store  —
path map             file     file     file     file     file       url        store  —
refused              ✗share   ✗share   ✗share   ✗share   ✗share     ✗share     store  —
refused, map         file     file     file     file     file       file       store  —
expired              ✗keys    ✗keys    ✗keys    ✗keys    ✗keys      url        store  —
expired, other       ✗keys    ✗keys    ✗keys    ✗keys    ✗keys      url        store  —
rotated              ✗keys    ✗keys    ✗keys    ✗keys    ✗keys      ✗keys      store  —
rotated, other       ✗keys    ✗keys    ✗keys    ✗keys    ✗keys      ✗keys      store  —
down                 ✗host    ✗host    ✗host    ✗host    ✗host      ✗host      store  —
down, other          ✗host    ✗host    ✗host    ✗host    ✗host      ✗host      store  —
restarted            fresh    fresh    fresh    fresh    fresh      url        store  —
map, later           file     file     file     file     file       url        store  —
"""


def _read(table: str) -> dict[str, dict[str, dict[str, str]]]:
    expected: dict[str, dict[str, dict[str, str]]] = {}
    for block in table.strip().split("\n\n"):
        (implementation, *kinds), *rows = (
            re.split(" {2,}", line.strip()) for line in block.splitlines()
        )
        assert tuple(kinds) == KINDS
        expected[implementation] = {
            place: dict(zip(KINDS, codes, strict=True)) for place, *codes in rows
        }
        assert list(expected[implementation]) == list(PLACES)
    return expected


EXPECTED = _read(_TABLE)
"""Implementation → place → kind → code."""


README_COLUMNS = (
    "luckylilliabot-8",
    "napcat",
    "napcat, base64",
    "snowluma",
    "luckylilliabot-3.29",
    "luckylilliabot-3.24",
    "lagrange",
    "gocqhttp",
)
"""The implementations in the tables of the documentation."""
README_FORWARDED = (
    ("same host", "other host", "path map", "expired", "expired, other"),
    ("refused",),
    ("refused, map",),
    ("rotated", "rotated, other"),
    ("down", "down, other"),
)
"""The places in the rows of their second table; those of the first are all, one by one."""
README_WORDS = {
    "docs/en/compatibility.md": {
        "file": "file",
        "base64": "base64",
        "fresh": "fresh link",
        "url": "link",
        "key": "new key",
        "get_msg": "message",
        "✗host": "✗ reach",
        "✗share": "✗ reach, share",
        "✗key": "✗ resend",
        "✗keys": "✗ resend, share",
    },
    "docs/zh/compatibility.md": {
        "file": "文件",
        "base64": "base64",
        "fresh": "新链接",
        "url": "链接",
        "key": "新密钥",
        "get_msg": "消息",
        "✗host": "✗ 连通",
        "✗share": "✗ 连通、共享",
        "✗key": "✗ 重发",
        "✗keys": "✗ 重发、共享",
    },
}
"""What they call each outcome."""


def print_matrix(outcomes: dict[str, dict[str, dict[str, str]]]) -> Iterable[str]:
    """The lines of a table: a row for each implementation and place, a column for each kind."""
    yield f"{'what works where':38}{''.join(kind.ljust(11) for kind in KINDS)}".rstrip()
    for implementation, places in outcomes.items():
        for place, cells in places.items():
            codes = "".join(cells[kind].ljust(11) for kind in KINDS)
            yield f"{implementation:21}{place:17}{codes}".rstrip()
    yield ""
    for word, meaning in PLACES.items():
        yield f"  {word:16}{meaning}"
    for code, source in SOURCES.items():
        yield f"  {code:16}by the {source}"
    for code, failure in FAILURES.items():
        yield f"  {code:16}{failure.error}, whose hint names {', '.join(failure.says)}"
