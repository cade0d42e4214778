"""Forgetting: a chat's or a user's sightings, and all that is left of images only seen there.

Every function blocks, and works in small steps, so that nobody waits long for the index.
"""

import time

from . import forgotten, images, notes, sightings
from .blobs import Blobs
from .database import Connection
from .eviction import remove

_MARK = "forgotten"
"""The note that changes whenever something is forgotten, for other processes on the folder."""


def forget_step(
    db: Connection, blobs: Blobs, *, chat: str | None, user: str | None, limit: int
) -> tuple[int, int]:
    """Forget some sightings of a chat or a user, and the images that nobody else referred to.

    Args:
        db: the connection of a transaction.
        blobs: where the files are.
        chat: the chat; None for any.
        user: the user; None for any.
        limit: how many sightings at most.

    Returns:
        How many sightings, and how many images.
    """
    gone = sightings.remove_some(db, chat=chat, user=user, limit=limit)
    lonely = {*sightings.unreferred(db, (each.sha256 for each in gone if each.sha256))}
    forgotten.remember(db, (each for each in gone if not each.sha256 or each.sha256 in lonely))
    notes.leave(db, _MARK, str(time.time_ns()))
    return len(gone), remove_images(db, blobs, lonely)


def remove_images(db: Connection, blobs: Blobs, digests: set[str]) -> int:
    """Remove images, and what lies of them in quarantine; how many there were."""
    infos = [info for sha256 in digests if (info := images.by_digest(db, sha256))]
    blobs.purge(digests)
    return len(remove(db, blobs, infos))


def mark(db: Connection) -> str:
    """What changes whenever something is forgotten; empty as long as nothing was."""
    return notes.text_of(db, _MARK)
