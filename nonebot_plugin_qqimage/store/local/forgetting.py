"""Forgetting: a chat's or a user's sightings, and all that is left of images only seen there.

Every function blocks, and works in small steps, so that nobody waits long for the index.
"""

import time

from . import annotations, forgotten, images, notes, sightings
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
        limit: how many sightings at most; no more than `images.MOST_ASKED`.

    Returns:
        How many sightings, and how many images.
    """
    gone = sightings.remove_some(db, chat=chat, user=user, limit=limit)
    meant = {each.sha256 for each in gone if each.sha256}
    # the image may have come a moment ago, and what its sighting shows be written down later
    unresolved = [each.reference for each in gone if not each.sha256]
    if unresolved:
        found = images.candidates(db, unresolved)
        meant |= {info.sha256 for candidates in found for info, _ in candidates}
    lonely = {*sightings.unreferred(db, meant)}
    infos = [info for sha256 in lonely if (info := images.with_sha1(db, sha256))]
    alone = [each for each in gone if not each.sha256 or each.sha256 in lonely]
    forgotten.remember(db, alone, infos)
    notes.leave(db, _MARK, str(time.time_ns()))
    annotations.forget(db, lonely)
    blobs.purge(lonely)
    return len(gone), len(remove(db, blobs, infos))


def forget_image(db: Connection, blobs: Blobs, sha256: str) -> None:
    """Remove an image that has just come, unless somebody refers to it."""
    for each in sightings.unreferred(db, [sha256]):
        blobs.purge({each})
        annotations.forget(db, [each])
        info = images.with_sha1(db, each)
        remove(db, blobs, [info] if info else [])


def mark(db: Connection) -> str:
    """What changes whenever something is forgotten; empty as long as nothing was."""
    return notes.text_of(db, _MARK)
