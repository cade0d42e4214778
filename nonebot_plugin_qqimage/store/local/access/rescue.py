"""What to do with a damaged index: the images are files, and speak for themselves."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from ....language import Text
from .. import annotations
from ..files.quarantine import make_private_folder
from ..sqlite.database import Connection, Database
from ..sqlite.schema import VERSION

_TEXT = " AND ".join(f"{name} NOT GLOB '*[^ -~]*'" for name in ("sha256", "md5", "mime", "source"))
_SANE = f"length(sha256) = 64 AND {_TEXT}"
"""What SQLite does not look at: that text is text."""
_TABLES = (
    *("pins", "counters", "notes", "names", "sightings", "digests", "agreements", "forgotten"),
    *("looks", "annotations", "unsent_annotations", "outbox"),
)
_SUFFIXES = ("-wal", "-shm", "")
"""The main file last: without it, a new one would take the others for its own."""


def put_index_aside(path: Path) -> str:
    """Move a damaged index into the folder ``quarantine`` and begin a new one.

    What can still be read of it is taken over; the other images come back from their files when
    the store is next checked.

    Returns:
        What was done, in words to append to an error; empty when the file is fine after all.
    """
    if is_sound(path):  # another process was faster
        return ""
    aside = path.parent / "quarantine" / f"{time.time_ns()}-{path.name}"
    try:
        make_private_folder(aside.parent)
        for suffix in _SUFFIXES:
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{path}{suffix}", f"{aside}{suffix}")
        new = Database(path)
    except (OSError, sqlite3.Error):
        return Text("; it cannot be put aside: stop the bot, and move it away")
    new.close()
    _take_over(path, aside)
    return Text("; it is now {aside}, and a new one is made from the images", aside=aside)


def is_sound(path: Path) -> bool:
    """Whether the whole index can be read, and agrees with itself, as far as one can tell."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=1)) as database:
            insane = database.execute(f"SELECT 1 FROM images WHERE NOT ({_SANE}) LIMIT 1")
            if insane.fetchone() is not None:
                return False
            return database.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)
    except sqlite3.OperationalError:  # somebody has it locked, so for them it works
        return True
    except sqlite3.DatabaseError:
        return False


def _take_over(path: Path, aside: Path) -> None:
    new = Connection(path)
    try:
        with contextlib.suppress(sqlite3.Error):
            new.run("ATTACH ? AS damaged", str(aside))
            if new.rows("PRAGMA damaged.user_version") != [(VERSION,)]:
                return
            for statement in _statements():  # each as far as it is readable
                with contextlib.suppress(sqlite3.Error):
                    new.run(statement)
            for table in _TABLES:
                with contextlib.suppress(sqlite3.Error):
                    new.run(_copying(new, table))
            with contextlib.suppress(sqlite3.Error):
                annotations.index_anew(new)
    finally:
        new.close()


def _statements() -> Iterator[str]:
    """What takes over all that is readable, a part at a time.

    They need a connection that enforces no foreign keys, for some images that names point to come
    back from their files later.
    """
    for shard in range(256):
        begin = f"{shard:02x}"
        yield (
            "INSERT OR IGNORE INTO main.images SELECT * FROM damaged.images "
            f"WHERE sha256 >= '{begin}' AND sha256 < '{begin}g' AND {_SANE}"
        )


def _copying(db: Connection, table: str) -> str:
    """What takes over a table; an earlier release has not made all of its columns."""
    there, here = (
        [row[1] for row in db.rows(f"PRAGMA {schema}.table_info({table})")]
        for schema in ("damaged", "main")
    )
    columns = ", ".join(name for name in there if name in here)
    return f"INSERT OR IGNORE INTO main.{table} ({columns}) SELECT {columns} FROM damaged.{table}"
