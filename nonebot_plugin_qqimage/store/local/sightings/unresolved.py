"""Sightings of which nobody has written down what they show, although that can be known.

Every function blocks.
"""

import math
from collections.abc import Collection, Iterable
from typing import NamedTuple

from ....content.info import ImageInfo
from ....messages.sighting import Sighting
from ..sqlite.database import Connection
from .rows import COLUMNS, load, place_of, storable
from .sightings import is_at

_MOST_NAMES = 1000
"""Names of one image that are compared; one that no digest names has two for each message."""

Place = tuple[str, ...]
"""Message, bot, `ImageReference.place` and chat of a sighting."""


class Shown(NamedTuple):
    """By what unresolved sightings are known to show an image."""

    keys: Collection[str] = ()
    """`ImageReference.key` of all that claim nothing else."""
    places: Collection[Place] = ()
    """Where those are whose claims are not true."""

    def means(self, sighting: Sighting) -> bool:
        """Whether a sighting shows the image."""
        reference = sighting.reference
        return reference.key in self.keys or _place_of(sighting) in self.places


def keys_of(info: ImageInfo | None, names: Iterable[str]) -> list[str]:
    """Each `ImageReference.key` that claims an image, and nothing that is not true of it.

    Args:
        info: the image; None where only names of it are known.
        names: what else means it: `ImageReference.names`, and `ImageReference.own_key`.
    """
    named = sorted(names)[:_MOST_NAMES]  # in this order, those of places come last
    if info is None:
        return named
    md5s = "", f"md5:{info.md5}:", f"md5:{info.md5}:{info.size}"
    links = ["", *(name for name in named if name.startswith("fileid:"))]
    if info.sha1:
        links.append(f"link:{info.sha1}:{info.size}")
    claims = {" ".join(filter(None, (md5, link))) for md5 in md5s for link in links}
    return sorted({f"sha256:{info.sha256}", *named, *claims} - {""})


def places_of(sightings: Iterable[Sighting], keys: Iterable[str]) -> list[Place]:
    """The places of those sightings that no key means, as `Shown.places` has them."""
    meant = {*keys}
    return [_place_of(each) for each in sightings if each.reference.key not in meant]


def resolve(db: Connection, sha256: str, shown: Shown, arrived_by: float = math.inf) -> None:
    """Write down which sightings show an image.

    Args:
        db: the connection of a transaction.
        sha256: of the image.
        shown: by what they are known to.
        arrived_by: only those that arrived by then, in seconds since the epoch.
    """
    ids = list[int]()
    for key in shown.keys:  # one at a time: with "IN" SQLite would read all that is unresolved
        rows = db.rows("SELECT id FROM sightings WHERE sha256 = '' AND key = ?", storable(key))
        ids += [id_ for (id_,) in rows]
    for message, bot, place, chat in shown.places:
        rows = db.rows(
            f"SELECT id, {COLUMNS} FROM sightings WHERE message = ? AND bot = ? AND +sha256 = ''",
            *map(storable, (message, bot)),
        )
        ids += [row[0] for row in rows if is_at(load(tuple(row[1:])), place, chat)]
    db.run_many(
        "UPDATE sightings SET sha256 = ? WHERE id = ? AND coalesce(arrived, time) <= ?",
        [(sha256, id_, arrived_by) for id_ in ids],
    )


def _place_of(sighting: Sighting) -> Place:
    return *place_of(sighting.reference), sighting.reference.place, sighting.chat
