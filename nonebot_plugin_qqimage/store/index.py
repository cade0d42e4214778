"""The index: facts about stored images and the names that point to them, in SQLite.

Every method blocks and must be called on the one thread that opened the index. Several processes
may use the same file: WAL lets them read while one writes, and each method is one transaction.
"""

import contextlib
import sqlite3
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..content import ImageInfo
from ..errors import StoreError

_VERSION = 1
_SCHEMA = """
CREATE TABLE images (
    sha256 TEXT PRIMARY KEY,
    md5 TEXT NOT NULL,
    mime TEXT NOT NULL,
    size INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    frames INTEGER NOT NULL,
    source TEXT NOT NULL,
    added REAL NOT NULL,
    used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX images_by_md5 ON images (md5);
CREATE INDEX images_by_use ON images (used);
CREATE TABLE names (
    name TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL REFERENCES images (sha256) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX names_by_image ON names (sha256);
-- kept by triggers, for a sum over a million rows takes too long to ask for at each write
CREATE TABLE totals (images INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0);
CREATE TRIGGER image_added AFTER INSERT ON images BEGIN
    UPDATE totals SET images = images + 1, bytes = bytes + NEW.size;
END;
CREATE TRIGGER image_removed AFTER DELETE ON images BEGIN
    UPDATE totals SET images = images - 1, bytes = bytes - OLD.size;
END;
"""
_FACTS = "sha256, md5, mime, size, width, height, frames"
_USE_STEP = 300.0
"""Seconds: a use is written down only when the last one is this old, to spare the disk."""


@dataclass(frozen=True)
class Totals:
    """What the store holds."""

    images: int
    """Distinct images."""
    bytes: int
    """Bytes of all of them."""


class Index:
    """The database file.

    Args:
        path: where it lies; made when missing.

    Raises:
        StoreError: it was written by a newer version of this plugin.
        sqlite3.Error: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, timeout=10, isolation_level=None)
        try:
            self._check_version(path)  # first, for the next line writes to the file
            # readers and the one writer do not block each other; it stays set in the file
            self._db.execute("PRAGMA journal_mode = WAL")
            # with WAL, a power cut may lose the last rows but cannot damage the file
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._migrate(path)
        except BaseException:
            self._db.close()
            raise

    def _check_version(self, path: Path) -> int:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise StoreError(
                f"{path} was written by a newer version of nonebot-plugin-qqimage (schema "
                f"{version}, this one knows {_VERSION}); update the plugin"
            )
        return version

    def _migrate(self, path: Path) -> None:
        with self._transaction():  # two processes may start at once
            if self._check_version(path) == 0:
                for statement in _statements(_SCHEMA):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {_VERSION}")

    @contextlib.contextmanager
    def _transaction(self) -> Generator[None, None, None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite has rolled back already when the disk is full
                self._db.execute("ROLLBACK")
            raise

    def by_name(self, name: str) -> ImageInfo | None:
        """The image a name points to."""
        return self._one(
            f"SELECT {_FACTS} FROM images JOIN names USING (sha256) WHERE name = ?", name
        )

    def by_md5(self, md5: str, size: int | None) -> ImageInfo | None:
        """The image with this MD5, and this size in bytes where one is given."""
        return self._one(
            f"SELECT {_FACTS} FROM images WHERE md5 = ? AND size = coalesce(?, size)", md5, size
        )

    def by_sha256(self, sha256: str) -> ImageInfo | None:
        """The image with this SHA-256."""
        return self._one(f"SELECT {_FACTS} FROM images WHERE sha256 = ?", sha256)

    def _one(self, query: str, *values: object) -> ImageInfo | None:
        row = self._db.execute(query + " LIMIT 1", values).fetchone()
        if row is None:
            return None
        info = ImageInfo(*row)
        now = time.time()
        # on a full or read-only disk, what is there can still be found
        with contextlib.suppress(sqlite3.OperationalError):
            self._db.execute(
                "UPDATE images SET used = ? WHERE sha256 = ? AND used < ?",
                (now, info.sha256, now - _USE_STEP),
            )
        return info

    def add(self, info: ImageInfo, name: str, source: str) -> None:
        """Write down an image whose blob is in place, and a name for it (none when empty)."""
        now = time.time()
        with self._transaction():
            self._db.execute(
                "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (sha256) DO UPDATE SET used = excluded.used",
                (
                    info.sha256,
                    info.md5,
                    info.mime,
                    info.size,
                    info.width,
                    info.height,
                    info.frames,
                    source,
                    now,
                    now,
                ),
            )
            if name:
                self._db.execute(
                    "INSERT INTO names VALUES (?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256",
                    (name, info.sha256),
                )

    def remove(self, images: Iterable[ImageInfo]) -> None:
        """Forget images, with every name that points to them."""
        with self._transaction():
            self._db.executemany(
                "DELETE FROM images WHERE sha256 = ?", [(info.sha256,) for info in images]
            )

    def least_recently_used(self, limit: int, before: float | None = None) -> list[ImageInfo]:
        """The images unused for longest.

        Args:
            limit: how many at most.
            before: only those last used before this time (seconds since the epoch).
        """
        rows = self._db.execute(
            f"SELECT {_FACTS} FROM images WHERE used < coalesce(?, used + 1) ORDER BY used LIMIT ?",
            (before, limit),
        )
        return [ImageInfo(*row) for row in rows]

    def totals(self) -> Totals:
        """How much the store holds, without counting."""
        return Totals(*self._db.execute("SELECT images, bytes FROM totals").fetchone())

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _statements(script: str) -> Iterable[str]:
    """Single statements; `executescript` would commit the transaction around them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
