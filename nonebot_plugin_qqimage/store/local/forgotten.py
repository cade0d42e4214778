"""What was forgotten, and must not be fetched again until it is seen again. Every function blocks.

What changes the table is given the connection of a transaction.
"""

from collections.abc import Iterable, Sequence

from ...messages.reference import ImageReference
from ...messages.sighting import Sighting
from .database import Connection

_MAX = 100_000
"""Names kept; the oldest go first."""


def remember(db: Connection, sightings: Iterable[Sighting]) -> None:
    """Note that images are forgotten, by every name that their sightings had.

    Args:
        db: the connection.
        sightings: those that were removed, of images that nobody else refers to.
    """
    rows = [
        (name, sighting.sha256)
        for sighting in sightings
        for name in names_of(sighting.reference, sighting.sha256)
    ]
    db.run_many("INSERT OR REPLACE INTO forgotten (name, sha256) VALUES (?, ?)", rows)
    db.run("DELETE FROM forgotten WHERE id <= (SELECT max(id) FROM forgotten) - ?", _MAX)


def among(db: Connection, references: Sequence[ImageReference]) -> bool:
    """Whether one of these references means what was forgotten."""
    names = [name for each in references for name in names_of(each, each.sha256)]
    marks = ", ".join("?" * len(names))
    return bool(db.rows(f"SELECT 1 FROM forgotten WHERE name IN ({marks}) LIMIT 1", *names))


def seen_again(db: Connection, sightings: Iterable[Sighting]) -> None:
    """Take back that images are forgotten, because they have been seen again."""
    if not db.rows("SELECT 1 FROM forgotten LIMIT 1"):
        return
    for sighting in sightings:
        names = names_of(sighting.reference, sighting.sha256)
        db.run_many("DELETE FROM forgotten WHERE name = ?", [(name,) for name in names])


def is_there_again(db: Connection, sha256: str) -> None:
    """Take back that an image is forgotten, because what was seen turned out to be that image."""
    db.run("DELETE FROM forgotten WHERE sha256 = ?", sha256)


def names_of(reference: ImageReference, sha256: str) -> list[str]:
    """What an image is remembered by: its key and its place, in whatever chat, and its digest."""
    names = [reference.place] if reference.place else []
    if reference.key != reference.own_key or not names:
        names.append(reference.key)
    if sha256:
        names.append(f"sha256:{sha256}")
    return [name.encode(errors="replace").decode() for name in names]
