"""`FileId`: what QQ's own link says about the content behind it.

A link ``https://multimedia.nt.qq.com.cn/download?appid=1407&fileid=<F>&rkey=…`` names its picture
by ``F``: base64url, without padding, of a protobuf message that QQ's server made at the upload from
what the uploading client declared. Field 2 is the SHA-1 of the content, 3 its size in bytes, 4 the
appid, 5 the time of upload in microseconds, 10 the seconds for which QQ keeps a group's picture.
Five public samples, and captures of uploads, agree with that; nothing shows that QQ verifies the
SHA-1, so it is a claim that has to be confirmed by what is fetched.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

APPIDS = ("1406", "1407")
"""Of pictures in private chats and in groups. Ids of other kinds are made by clients."""
_QQ = re.compile(
    r"https?://(?:[a-z0-9_.-]{1,253}\.)?(?:qq\.com|qq\.com\.cn|qpic\.cn)(?::\d{1,5})?/",
    re.IGNORECASE | re.ASCII,
)
_LOCAL = re.compile(
    r"https?://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?/", re.IGNORECASE | re.ASCII
)
"""Mirrors, simulators and URLs of this bot; no stranger's link leads to this machine."""
_ID = re.compile(r"[A-Za-z0-9_-]{16,512}")
_MAX_URL = 8192
"""Characters of a URL that are looked at."""
_SHA1 = 20
"""Bytes of a SHA-1."""


@dataclass(frozen=True)
class FileId:
    """What a link says about the content behind it."""

    name: str
    """Appid and ``fileid``, which together mean one content, whether they can be read or not."""
    sha1: str = ""
    """SHA-1 of the content as declared at upload, lower-case hex; empty where it cannot be read."""
    size: int = 0
    """Size in bytes; 0 where it cannot be read."""
    uploaded: float = 0.0
    """When it was uploaded, in seconds since the epoch; 0 where nothing says so."""
    ttl: int = 0
    """Seconds for which QQ keeps it from then on; 0 where nothing says so."""

    @property
    def kept_until(self) -> float:
        """Until when QQ keeps it, in seconds since the epoch; 0 where nothing says so."""
        return self.uploaded + self.ttl if self.uploaded and self.ttl else 0.0


def is_at_qq(url: str) -> bool:
    """Whether a URL leads to a host of QQ."""
    return _QQ.match(url) is not None


@lru_cache(maxsize=1024)  # of each event's image it is asked several times
def file_id_of(url: str) -> FileId | None:
    """What a link to a picture of QQ says; None for any other link.

    Args:
        url: the link; with escaped parameters, in any order, with or without a key.
    """
    if "fileid=" not in url[:_MAX_URL].lower() or not (_QQ.match(url) or _LOCAL.match(url)):
        return None
    appid, text = _named(url)
    return _read(appid, text) if appid in APPIDS and _ID.fullmatch(text) else None


def names_another(url: str, other: str) -> bool:
    """Whether two links name different contents, by the ``fileid`` in both: one content has as many
    ids as it was uploaded times, and what can be read in each is the same."""
    ids = [_named(each) for each in (url, other)]
    if not all(text for _, text in ids) or ids[0][1] == ids[1][1]:
        return False
    one, two = (_read(appid, text) for appid, text in ids)
    return not one.sha1 or (one.sha1, one.size) != (two.sha1, two.size)


def _named(url: str) -> tuple[str, str]:
    """The appid of a link and its ``fileid``, in the URL-safe alphabet; empty where it has none."""
    address, _, query = url[:_MAX_URL].partition("#")[0].partition("?")
    said: dict[str, str] = {}
    for part in query.replace("&amp;", "&").split("&") if address.endswith("/download") else ():
        name, _, value = part.partition("=")
        if (known := name.lower()) in ("appid", "fileid"):
            said.setdefault(known, unquote(value).strip().rstrip("="))
    return said.get("appid", ""), said.get("fileid", "").replace("+", "-").replace("/", "_")


def _read(appid: str, text: str) -> FileId:
    name = f"{appid}:{text}"
    unread = FileId(name)
    try:
        fields = dict(_fields(binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "==")))
    except ValueError:
        return unread
    sha1, size, kind = fields.get(2), fields.get(3), fields.get(4)
    if not isinstance(sha1, bytes) or len(sha1) != _SHA1 or not any(sha1):
        return unread
    if not isinstance(size, int) or not 0 < size < 1 << 40:
        return unread
    if kind is not None and str(kind) != appid:
        return unread
    uploaded, ttl = fields.get(5), fields.get(10)
    return FileId(
        name,
        sha1.hex(),
        size,
        uploaded / 1_000_000 if isinstance(uploaded, int) and uploaded < 1 << 53 else 0.0,
        ttl if isinstance(ttl, int) and ttl < 1 << 32 else 0,
    )


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message, numbers and bytes alone.

    Raises:
        ValueError: it is no such message.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == 2:
            length, at = _varint(data, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError("a wire type that is not used any more")
        if length > len(data) - at:
            raise ValueError("cut short")
        if kind == 2:
            yield key >> 3, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("cut short")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("too long a number")
