"""The table of looks: hashes of what pictures look like. Every function blocks.

A picture that has none, because it is flat or cannot be decoded, has a row without a part. Rows of
other versions of the hash belong to other releases, and are left alone.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ...content.info import ImageInfo
from ...content.looks.look import BITS, VERSION, Look, Part
from .images import FACTS
from .sqlite.database import Connection

_ASKED = 500
"""Rows looked up by one statement; older versions of SQLite take no more than 999 values."""
_BYTES = BITS // 8


class Row(NamedTuple):
    """A hash in the index."""

    id: int
    """Which grows with each new one, and never comes again."""
    sha256: str
    """Of the picture."""
    look: Look
    """The hash."""


class Page(NamedTuple):
    """Many hashes of one part."""

    part: Part
    """What was hashed."""
    ids: "array[int]"
    """Those of the hashes."""
    hashes: bytes
    """The hashes, 32 bytes each."""


class Progress(NamedTuple):
    """How many of the pictures there are have been looked at."""

    images: int
    """All pictures."""
    hashed: int
    """Those that have hashes."""
    without: int
    """Those that can have none: flat, damaged, too large, or of a type that Pillow cannot read."""


def keep(db: Connection, sha256: str, found: Iterable[Look]) -> None:
    """Write down the hashes of a picture, if it is still there; none where it can have none."""
    rows = [(look.part, look.bits.to_bytes(_BYTES, "big")) for look in found] or [("", b"")]
    db.run_many(
        "INSERT OR IGNORE INTO looks (sha256, version, part, hash) "
        "SELECT sha256, ?, ?, ? FROM images WHERE sha256 = ?",
        [(VERSION, part, bits, sha256) for part, bits in rows],
    )


def of(db: Connection, sha256: str) -> list[Look] | None:
    """The hashes of a picture; None where nobody has looked at it yet."""
    rows = db.rows("SELECT part, hash FROM looks WHERE sha256 = ? AND version = ?", sha256, VERSION)
    return [_look(*row) for row in rows if row[0]] if rows else None


def after(db: Connection, last: int, limit: int) -> tuple[list[Page], int]:
    """Some of the hashes with a higher id than the last one that was read, and the highest of them.

    SQLite puts them together, for it lets other threads run meanwhile, and Python would not.
    """
    rows = db.rows(
        "SELECT part, group_concat(id), group_concat(hex(hash), ''), max(id) FROM ("
        "SELECT id, part, hash FROM looks WHERE id > ? AND version = ? AND part <> '' "
        "ORDER BY id LIMIT ?) GROUP BY part",
        *(last, VERSION, limit),
    )
    pages = [
        Page(part, array("q", map(int, ids.split(","))), bytes.fromhex(hashes))
        for part, ids, hashes, _ in rows
    ]
    return pages, max((row[3] for row in rows), default=last)


def newest(db: Connection) -> int:
    """The highest id there is; 0 where there is none."""
    return int(db.rows("SELECT coalesce(max(id), 0) FROM looks")[0][0])


def still_there(db: Connection, ids: Sequence[int], chat: str | None) -> Iterator[Row]:
    """Those of some hashes whose pictures are still there.

    Args:
        db: the connection.
        ids: of the hashes.
        chat: the chat that they must have been seen in; None for any, or none.
    """
    seen = "AND EXISTS (SELECT 1 FROM sightings s WHERE s.sha256 = looks.sha256 AND +s.chat = ?)"
    values = [] if chat is None else [chat]
    for start in range(0, len(ids), _ASKED):
        some = ids[start : start + _ASKED]
        rows = db.rows(
            "SELECT id, sha256, part, hash FROM looks WHERE part <> '' AND "
            f"id IN ({', '.join('?' * len(some))}) {seen if values else ''}",
            *(*some, *values),
        )
        for id_, sha256, part, bits in rows:
            yield Row(id_, sha256, _look(part, bits))


def without(db: Connection, after: str, limit: int) -> tuple[list[ImageInfo], str]:
    """The pictures among the next few that nobody has looked at.

    Args:
        db: the connection.
        after: the SHA-256 that the last step gave; empty for the first one.
        limit: how many pictures to go over.

    Returns:
        These pictures, and where to go on: empty where there are no more.
    """
    rows = db.rows(
        f"SELECT {FACTS}, EXISTS (SELECT 1 FROM looks l WHERE l.sha256 = i.sha256 "
        "AND l.version = ?) FROM images i WHERE sha256 > ? ORDER BY sha256 LIMIT ?",
        *(VERSION, after, limit),
    )
    infos = [ImageInfo(*row[:-1]) for row in rows if not row[-1]]
    return infos, str(rows[-1][0]) if len(rows) == limit else ""


def progress(db: Connection) -> Progress:
    """How many pictures have been looked at, counted: a second for a million."""
    ((images, hashed, without_),) = db.rows(
        "SELECT (SELECT images FROM totals), coalesce(sum(part = 'whole'), 0), "
        "coalesce(sum(part = ''), 0) FROM looks WHERE version = ?",
        VERSION,
    )
    return Progress(images, hashed, without_)


def _look(part: str, bits: bytes) -> Look:
    return Look(part, int.from_bytes(bits, "big"))  # type: ignore[arg-type]  our own text
