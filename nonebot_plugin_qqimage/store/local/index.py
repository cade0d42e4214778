"""The index: facts about stored images, and the names and pins that point to them.

Every method blocks and belongs in a thread. What is written is one transaction, or part of the
caller's.
"""

import math
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from ...content.info import ImageInfo
from ...messages.reference import ImageReference
from .database import Database, Row
from .journal import Write
from .selection import Selection
from .sightings import Sightings

_FACTS = "sha256, md5, mime, size, width, height, frames"
_IMAGES_FACTS = ", ".join(f"images.{fact}" for fact in _FACTS.split(", "))
MOST_ASKED = 64
"""References looked up at a time; older versions of SQLite take no more than 999 values."""


@dataclass(frozen=True)
class Totals:
    """What the store holds."""

    images: int
    """Distinct images."""
    bytes: int
    """Bytes of all of them."""


@dataclass(frozen=True)
class Stored:
    """What the index knows of an image, for those who list it."""

    info: ImageInfo
    """What it is."""
    source: str
    """Where its bytes came from."""
    added: float
    """When it was stored, in seconds since the epoch."""
    used: float
    """When it was last used, likewise."""


class Index:
    """The tables of images, names and pins, and those of sightings.

    Args:
        database: the open database.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self.sightings = Sightings(database)
        """Where images were seen."""

    def transaction(self) -> AbstractContextManager[None]:
        """Everything within happens at once or not at all, and nobody else writes meanwhile."""
        return self._db.transaction()

    def write(self, writes: Iterable[Write]) -> None:
        """Write down what the journal has gathered."""
        with self._db.transaction():
            for statement, group in groupby(writes, itemgetter(0)):
                self._db.run_many(statement, [values for _, values in group])

    def by_md5(self, md5: str, size: int | None) -> ImageInfo | None:
        """The image with this MD5, and this size in bytes where one is given."""
        return self._one(
            f"SELECT {_FACTS} FROM images WHERE md5 = ? AND size = coalesce(?, size)", md5, size
        )

    def meant_by(self, references: Sequence[ImageReference]) -> list[ImageInfo | None]:
        """The image each reference means: by its digest, what its file promises, or its names.

        Args:
            references: at most `MOST_ASKED`; one statement serves them all, for the event loop has
                its turn before each.
        """
        asked: list[object] = []
        for number, reference in enumerate(references):
            name, other, *_ = *reference.names, None, None
            asked += number, reference.sha256 or None, reference.md5 or None, reference.size
            asked += name, other
        rows = self._db.rows(
            "WITH asked (number, sha256, md5, size, name, other) AS "
            f"(VALUES {', '.join(['(?, ?, ?, ?, ?, ?)'] * len(references))}) "
            f"SELECT number, {_IMAGES_FACTS} FROM asked CROSS JOIN images WHERE images.sha256 = "
            "coalesce(asked.sha256, (SELECT i.sha256 FROM images i WHERE i.md5 = asked.md5 "
            "AND i.size = coalesce(asked.size, i.size) LIMIT 1), "
            "(SELECT n.sha256 FROM names n WHERE n.name = asked.name), "
            "(SELECT n.sha256 FROM names n WHERE n.name = asked.other))",
            *asked,
        )
        found = {number: ImageInfo(*facts) for number, *facts in rows}
        return [found.get(number) for number in range(len(references))]

    def by_sha256(self, sha256: str) -> ImageInfo | None:
        """The image with this SHA-256."""
        return self._one(f"SELECT {_FACTS} FROM images WHERE sha256 = ?", sha256)

    def _one(self, query: str, *values: object) -> ImageInfo | None:
        rows = self._db.rows(query + " LIMIT 1", *values)
        return ImageInfo(*rows[0]) if rows else None

    def add(self, info: ImageInfo, name: str, source: str) -> bool:
        """Write down an image whose blob is in place, and a name for it (none when empty).

        Part of a transaction.

        Returns:
            Whether it was not there before.
        """
        now = time.time()
        facts = info.sha256, info.md5, info.mime, info.size, info.width, info.height, info.frames
        new = not self._db.run("UPDATE images SET used = ? WHERE sha256 = ?", now, info.sha256)
        if new:
            self._db.run(
                "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(*facts, source, now, now),
            )
        if name:
            self._db.run(
                "INSERT INTO names VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256",
                *(name, info.sha256),
            )
        return new

    def remove(self, images: Iterable[ImageInfo]) -> None:
        """Forget images, with every name that points to them."""
        self._db.run_many(
            "DELETE FROM images WHERE sha256 = ?", [(info.sha256,) for info in images]
        )

    def unused(self, limit: int, before: float = math.inf) -> list[ImageInfo]:
        """The images unused for longest that nobody has pinned.

        Args:
            limit: how many at most.
            before: only those last used before this time (seconds since the epoch).
        """
        rows = self._db.rows(
            f"SELECT {_FACTS} FROM images WHERE used < ? "
            "AND sha256 NOT IN (SELECT sha256 FROM pins) ORDER BY used LIMIT ?",
            *(before, limit),
        )
        return [ImageInfo(*row) for row in rows]

    def totals(self) -> Totals:
        """How much the store holds, without counting."""
        return Totals(*self._db.rows("SELECT images, bytes FROM totals")[0])

    def pin(self, sha256: str, owner: str) -> None:
        """Let an owner keep an image, once more."""
        self._db.run(
            "INSERT INTO pins VALUES (?, ?, 1) "
            "ON CONFLICT (sha256, owner) DO UPDATE SET count = count + 1",
            *(sha256, owner),
        )

    def unpin(self, sha256: str, owner: str) -> bool:
        """Take one of an owner's pins back; whether there was one."""
        with self._db.transaction():
            changed = self._db.run(
                "UPDATE pins SET count = count - 1 WHERE sha256 = ? AND owner = ?", sha256, owner
            )
            self._db.run("DELETE FROM pins WHERE sha256 = ? AND count < 1", sha256)
        return changed > 0

    def pins(self, sha256: str) -> dict[str, int]:
        """Who keeps an image, and how often each has said so."""
        rows = self._db.rows("SELECT owner, count FROM pins WHERE sha256 = ?", sha256)
        return dict(rows)

    def select(self, selection: Selection, *, limit: int, after: str | None = None) -> list[Stored]:
        """Images that fit, some at a time.

        Args:
            selection: which.
            limit: how many at most.
            after: only those behind this SHA-256, in the order of their digests; None for those
                used last, the latest first.
        """
        condition, values = selection.condition()
        order = "sha256" if after is not None else "used DESC"
        rows = self._db.rows(
            f"SELECT {_FACTS}, source, added, used FROM images "
            f"WHERE {condition} AND sha256 > ? ORDER BY {order} LIMIT ?",
            *(*values, after or "", limit),
        )
        return [_stored(row) for row in rows]

    def count(self, selection: Selection) -> Totals:
        """How many images fit, and of how many bytes."""
        condition, values = selection.condition()
        query = f"SELECT count(*), coalesce(sum(size), 0) FROM images WHERE {condition}"
        return Totals(*self._db.rows(query, *values)[0])

    def names(self, sha256: str) -> list[str]:
        """The names that point to an image."""
        return [row[0] for row in self._db.rows("SELECT name FROM names WHERE sha256 = ?", sha256)]

    def pinned(self) -> int:
        """How many images somebody keeps."""
        return int(self._db.rows("SELECT count(DISTINCT sha256) FROM pins")[0][0])

    def quick_check(self) -> str:
        """What SQLite finds wrong with the file, in words; empty when nothing."""
        found = self._db.rows("PRAGMA quick_check(3)")
        return "" if found == [("ok",)] else "; ".join(str(row[0]) for row in found)

    def counted_by(self, column: str) -> dict[str, Totals]:
        """How many images there are, and of how many bytes, by ``mime`` or ``source``."""
        if column not in ("mime", "source"):
            raise ValueError(f"cannot count by {column}")
        rows = self._db.rows(
            f"SELECT {column}, count(*), sum(size) FROM images GROUP BY 1 ORDER BY 2 DESC"
        )
        return {what: Totals(images, size) for what, images, size in rows}

    def steps(self) -> set[str]:
        """The first two digits of the digests there are."""
        return {row[0] for row in self._db.rows("SELECT DISTINCT substr(sha256, 1, 2) FROM images")}

    def counters(self, kind: str) -> dict[str, int]:
        """What has been counted of a kind, the most frequent first."""
        rows = self._db.rows(
            "SELECT what, count FROM counters WHERE kind = ? ORDER BY count DESC", kind
        )
        return dict(rows)

    def note(self, name: str, text: str) -> None:
        """Keep a text under a name, with the time."""
        self._db.run("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", name, text, time.time())

    def forget_notes(self, prefix: str, before: float) -> None:
        """Forget the texts whose names start so that were kept before a time."""
        self._db.run(
            "DELETE FROM notes WHERE substr(name, 1, ?) = ? AND time < ?",
            *(len(prefix), prefix, before),
        )

    def notes(self, prefix: str) -> dict[str, tuple[str, float]]:
        """The texts whose names start so, each with the time it was kept."""
        rows = self._db.rows(
            "SELECT name, text, time FROM notes WHERE substr(name, 1, ?) = ?", len(prefix), prefix
        )
        return {name: (text, kept) for name, text, kept in rows}


def _stored(row: Row) -> Stored:
    *facts, source, added, used = row
    return Stored(ImageInfo(*facts), source, added, used)
