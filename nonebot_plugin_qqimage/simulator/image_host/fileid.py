"""The ``fileid`` in the links of QQ's image host: what an uploader declared, as protobuf.

The fields were read from public links of 2024 to 2026; the numbers of those whose meaning nobody
has published are 1 (in older ones alone), 11, 15 and 16.
"""

import base64
import hashlib
import secrets
import time

from .keys import APPIDS, Kind

GROUP_TTL = 2_678_400
"""Seconds that QQ keeps a group's picture: 31 days. Links of private pictures say nothing."""

_VARINT = 0
_BYTES = 2


def new_fileid(
    data: bytes,
    kind: Kind = "group",
    *,
    sha1: bytes | None = None,
    size: int | None = None,
    uploaded_at: float | None = None,
    ttl: int | None = None,
    sender: int | None = None,
) -> str:
    """Make the fileid that QQ's server gives an upload; each call gives another one.

    The server takes the uploader's word for the SHA-1 and the size, so that both may be lies.

    Args:
        data: the picture's bytes.
        kind: what it is sent to.
        sha1: 20 bytes to declare instead of the true SHA-1.
        size: bytes to declare instead of the true number.
        uploaded_at: time of the upload, in seconds since 1970; by default now.
        ttl: seconds that QQ keeps it; by default 31 days for a group, and unsaid for a person.
        sender: the account that sent it, which older ones say.
    """
    if ttl is None and kind == "group":
        ttl = GROUP_TTL
    digest = hashlib.sha1(data, usedforsecurity=False).digest() if sha1 is None else sha1
    uploaded = time.time() if uploaded_at is None else uploaded_at
    message = b"".join(
        (
            b"" if sender is None else _field(1, str(sender).encode()),
            _field(2, digest),
            _field(3, len(data) if size is None else size),
            _field(4, int(APPIDS[kind])),
            _field(5, int(uploaded * 1_000_000)),
            _field(6, b"prod"),
            b"" if ttl is None else _field(10, ttl),
            _field(11, secrets.token_bytes(16)),
        )
    )
    return base64.urlsafe_b64encode(message).rstrip(b"=").decode()


def unreadable_fileid() -> str:
    """Make a fileid that names a picture and says nothing about it: it is no protobuf."""
    return f"__{secrets.token_urlsafe(24)}"


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Write seven bits a byte, the lowest first; the eighth says that more follow."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*written, value))
