"""The annotations that the shared store is yet to be told of. Every function blocks.

Their texts stay in the table of annotations; where one is not there any more, its owner has taken
it back. A text that goes with its picture is not told of: a trigger sees to that. That one was
taken back is told of even then, for other hosts may have the picture, and the text.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .sqlite.database import Connection

_MAX = 200_000
"""Rows kept while the shared store is away, some 40 MB; the oldest go."""


class Unsent(NamedTuple):
    """What an owner has said of a picture, or that it was taken back."""

    sha256: str
    """Of the picture."""
    owner: str
    """Who has said it."""
    text: str
    """What was said; empty where it was taken back."""
    time: float
    """When, by this machine's clock, in seconds since the epoch."""


def add(db: Connection, sha256: str, owner: str, time: float) -> None:
    """Tell of what an owner has just said of a picture, or taken back.

    Args:
        db: the connection of the transaction in which that happens.
        sha256: of the picture.
        owner: who has said it.
        time: when, in seconds since the epoch; not used where the owner has said something later.
    """
    db.run(
        "INSERT OR REPLACE INTO unsent_annotations (sha256, owner, time) VALUES (?, ?, "
        "coalesce((SELECT time FROM annotations WHERE sha256 = ? AND owner = ?), ?))",
        *(sha256, owner, sha256, owner, time),
    )
    # the numbers bound how many there are, so that nobody has to count
    db.run(
        "DELETE FROM unsent_annotations WHERE id <= (SELECT max(id) FROM unsent_annotations) - ?",
        _MAX,
    )


def add_all_of(db: Connection, sha256: str) -> None:
    """Tell anew of all that is known of a picture."""
    db.run(
        "INSERT OR REPLACE INTO unsent_annotations (sha256, owner, time) "
        "SELECT sha256, owner, time FROM annotations WHERE sha256 = ?",
        sha256,
    )


def take(db: Connection, limit: int) -> list[Unsent]:
    """The next ones, at most so many; not of pictures that are yet to be sent themselves."""
    rows = db.rows(
        "SELECT sha256, owner, coalesce(text, ''), u.time FROM unsent_annotations u "
        "LEFT JOIN annotations USING (sha256, owner) WHERE NOT EXISTS (SELECT 1 FROM outbox o "
        "WHERE o.sha256 = u.sha256 AND o.sha256 != '' AND kind = 'image') ORDER BY u.id LIMIT ?",
        limit,
    )
    return [Unsent(*row) for row in rows]


def sent(db: Connection, told: Iterable[Unsent]) -> None:
    """Leave out what has been told, unless the owner has said something else since."""
    db.run_many(
        "DELETE FROM unsent_annotations WHERE sha256 = ? AND owner = ? AND time = ?",
        [(each.sha256, each.owner, each.time) for each in told],
    )


def among(db: Connection, digests: Sequence[str]) -> Mapping[tuple[str, str], float]:
    """When something was said of some pictures that is yet to be told, by SHA-256 and owner."""
    if not waiting(db):
        return {}
    rows = [
        row
        for sha256 in digests
        for row in db.rows(
            "SELECT sha256, owner, time FROM unsent_annotations WHERE sha256 = ?", sha256
        )
    ]
    return {(sha256, owner): time for sha256, owner, time in rows}


def forget(db: Connection, sha256: str) -> None:
    """Tell of nothing that is known of a picture."""
    db.run("DELETE FROM unsent_annotations WHERE sha256 = ?", sha256)


def drop(db: Connection) -> int:
    """Tell of nothing that waits; how many entries are left out."""
    return db.run("DELETE FROM unsent_annotations")


def waiting(db: Connection) -> int:
    """How many entries wait."""
    return int(db.rows("SELECT count(*) FROM unsent_annotations")[0][0])
