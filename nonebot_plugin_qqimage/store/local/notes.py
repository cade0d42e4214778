"""Counters and notes: small facts that outlive the process. Every function blocks."""

import time
from collections.abc import Iterable, Mapping

from ...messages.said_paths import EVERY_PATH
from .sqlite.database import Connection

_STARTS, _LAST = "name >= ? AND name < ?", "\U0010ffff"
"""Names that start with a text lie between that, and that with the last of all characters."""
_SAID = "said:"
_MAX_SAID = 10_000
"""Paths kept that messages said; only who means harm says any."""


def add_counts(db: Connection, counts: Mapping[tuple[str, str], int]) -> None:
    """Add to counters: how many more there are of each kind and thing."""
    db.run_many(
        "INSERT INTO counters VALUES (?, ?, ?) "
        "ON CONFLICT (kind, what) DO UPDATE SET count = count + excluded.count",
        [(kind, what, count) for (kind, what), count in counts.items()],
    )


def counters(db: Connection, kind: str) -> dict[str, int]:
    """What has been counted of a kind, the most frequent first."""
    query = "SELECT what, count FROM counters WHERE kind = ? ORDER BY count DESC"
    return dict(db.rows(query, kind))


def leave(db: Connection, name: str, text: str) -> None:
    """Keep a text under a name, with the time."""
    db.run("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", name, text, time.time())


def text_of(db: Connection, name: str) -> str:
    """The text under a name; empty where there is none."""
    rows = db.rows("SELECT text FROM notes WHERE name = ?", name)
    return str(rows[0][0]) if rows else ""


def find(db: Connection, prefix: str) -> dict[str, tuple[str, float]]:
    """The texts whose names start so, each with the time it was kept (seconds since the epoch)."""
    rows = db.rows(f"SELECT name, text, time FROM notes WHERE {_STARTS}", prefix, prefix + _LAST)
    return {name: (text, kept) for name, text, kept in rows}


def forget(db: Connection, prefix: str, before: float) -> None:
    """Forget the texts whose names start so and that were kept before a time (since the epoch)."""
    db.run(f"DELETE FROM notes WHERE {_STARTS} AND time < ?", prefix, prefix + _LAST, before)


def keep_latest(db: Connection, prefix: str, most: int) -> None:
    """Forget the oldest of the texts whose names start so, where there are more than so many."""
    db.run(
        f"DELETE FROM notes WHERE name IN (SELECT name FROM notes WHERE {_STARTS} "
        "ORDER BY time DESC LIMIT -1 OFFSET ?)",
        *(prefix, prefix + _LAST, most),
    )


def add_said(db: Connection, digests: Iterable[str]) -> None:
    """Note paths that received messages said; the oldest of very many are forgotten."""
    now = time.time()
    db.run_many(
        "INSERT OR REPLACE INTO notes VALUES (?, '', ?)",
        [(_SAID + digest, now) for digest in digests],
    )
    keep_latest(db, _SAID, _MAX_SAID)


def was_said(db: Connection, digest: str) -> bool:
    """Whether a received message has said a path."""
    names = _SAID + digest, _SAID + EVERY_PATH
    return bool(db.rows("SELECT 1 FROM notes WHERE name IN (?, ?) LIMIT 1", *names))
