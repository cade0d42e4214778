"""Counters and notes: small facts that outlive the process. Every function blocks."""

import time
from collections.abc import Mapping

from .database import Connection


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


def find(db: Connection, prefix: str) -> dict[str, tuple[str, float]]:
    """The texts whose names start so, each with the time it was kept (seconds since the epoch)."""
    rows = db.rows(
        "SELECT name, text, time FROM notes WHERE substr(name, 1, ?) = ?", len(prefix), prefix
    )
    return {name: (text, kept) for name, text, kept in rows}


def forget(db: Connection, prefix: str, before: float) -> None:
    """Forget the texts whose names start so and that were kept before a time (since the epoch)."""
    db.run(
        "DELETE FROM notes WHERE substr(name, 1, ?) = ? AND time < ?", len(prefix), prefix, before
    )
