"""Removing sightings: those that are to be forgotten, and those that are too old or too many.

Every function blocks, and is given the connection of a transaction.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ....messages.reference import ImageReference
from ....messages.sighting import Sighting
from .. import images
from ..sightings.rows import COLUMNS, load
from ..sqlite.database import Connection, where

_MAX_SIGHTINGS = 1_000_000
"""Sightings kept; the oldest go first."""
_KEPT_OF_PINNED = 100
"""Sightings of a pinned image that stay as long as the pin; by them it can be fetched again."""


def remove_some(
    db: Connection, *, chat: str | None, user: str | None, limit: int, arrived_by: float = math.inf
) -> list[Sighting]:
    """Forget some of the sightings of a chat or a user, with the names they gave; which ones.

    The images are left: see which ones are `unreferred` to.
    """
    conditions, values = where({"chat = ?": chat, "user = ?": user})
    rows = db.rows(
        f"SELECT id, {COLUMNS} FROM sightings WHERE {conditions} "
        "AND coalesce(arrived, time) <= ? LIMIT ?",
        *(*values, arrived_by, limit),
    )
    return _remove(db, rows)


def remove_some_of(
    db: Connection, sha256: str, limit: int, arrived_by: float = math.inf
) -> list[Sighting]:
    """Forget some of the sightings of an image, with the names they gave; which ones."""
    rows = db.rows(
        f"SELECT id, {COLUMNS} FROM sightings WHERE sha256 = ? "
        "AND coalesce(arrived, time) <= ? LIMIT ?",
        *(sha256, arrived_by, limit),
    )
    return _remove(db, rows)


def unreferred(db: Connection, digests: Iterable[str]) -> list[str]:
    """Those of the images that no sighting and no pin refers to."""
    return [
        sha256
        for sha256 in set(digests)
        if not db.rows(
            "SELECT 1 FROM sightings WHERE sha256 = ? UNION ALL "
            "SELECT 1 FROM pins WHERE sha256 = ? LIMIT 1",
            *(sha256, sha256),
        )
    ]


def evict(db: Connection, before: float, limit: int, after: int = 0) -> int:
    """Remove some sightings that are too old or too many, but the newest of pinned images.

    Args:
        db: the connection.
        before: seconds since the epoch.
        limit: how many to look at.
        after: the id that the last step gave; 0 for the first one.

    Returns:
        Where the next step goes on; 0 where there are no more.
    """
    # ids grow with time, and their difference bounds their number: no counting, no scan
    rows = db.rows(
        "SELECT sha256 IN (SELECT sha256 FROM pins) AND NOT EXISTS (SELECT 1 FROM sightings newer "
        "WHERE newer.sha256 = old.sha256 AND newer.id > old.id LIMIT 1 OFFSET ?), "
        f"id, {COLUMNS} FROM (SELECT * FROM sightings WHERE id > ? ORDER BY id LIMIT ?) old "
        "WHERE time < ? OR id <= (SELECT max(id) FROM sightings) - ?",
        *(_KEPT_OF_PINNED - 1, after, limit, before, _MAX_SIGHTINGS),
    )
    _remove(db, [row[1:] for row in rows if not row[0]])
    return int(rows[-1][1]) if len(rows) == limit else 0


def _remove(db: Connection, rows: Sequence[tuple[object, ...]]) -> list[Sighting]:
    """Remove rows of an id and `COLUMNS`, and the names that stood for their places."""
    db.run_many("DELETE FROM sightings WHERE id = ?", [(id_,) for id_, *_ in rows])
    removed = [load(tuple(values)) for _, *values in rows]
    for sighting in removed:
        images.forget_names(db, place_names(sighting.reference))
    return removed


def place_names(reference: ImageReference) -> Iterator[str]:
    """The names of a place, as this release and earlier ones have written them; and of its link."""
    if not reference.face_id:  # which is the same everywhere
        yield from reference.names
    if reference.place:
        place = f"{reference.self_id}:{reference.message_id}:{reference.position}"
        yield reference.own_key
        yield replace(reference, chat="").own_key  # where nobody knew the chat
        yield f"own:{place}"
        yield f"message:{place}:{reference.file}"
        yield reference.anywhere
