"""Forgetting: a chat's or a user's sightings, and all that is left of images only seen there.

Every function blocks, and works in small steps, so that nobody waits long for the index.
"""

import math
import time
from collections.abc import Iterable

from .. import annotations, images, notes, outbox, unsent_annotations
from ..files.blobs import Blobs
from ..sightings import forgotten
from ..sightings.unresolved import Shown, keys_of, places_of, resolve
from ..sqlite.database import Connection
from . import sighting_removal
from .eviction import remove

_MARK = "forgotten"
"""The note that changes whenever something is forgotten, for other processes on the folder."""


def forget_step(
    db: Connection,
    blobs: Blobs,
    *,
    chat: str | None,
    user: str | None,
    limit: int,
    arrived_by: float = math.inf,
) -> tuple[int, list[str]]:
    """Forget some sightings of a chat or a user, and the images that nobody else referred to.

    Args:
        db: the connection of a transaction.
        blobs: where the files are.
        chat: the chat; None for any.
        user: the user; None for any.
        limit: how many sightings at most; no more than `images.MOST_ASKED`.
        arrived_by: only those that arrived by then, in seconds since the epoch.

    Returns:
        How many sightings, and the SHA-256 of the images.
    """
    gone = sighting_removal.remove_some(
        db, chat=chat, user=user, limit=limit, arrived_by=arrived_by
    )
    outbox.forget(db, chat=chat, user=user, arrived_by=arrived_by)
    meant = {each.sha256 for each in gone if each.sha256}
    # the image may have come a moment ago, and what its sighting shows be written down later
    unresolved = [each.reference for each in gone if not each.sha256]
    if unresolved:
        found = images.candidates(db, unresolved)
        meant |= {info.sha256 for candidates in found for info, _ in candidates}
    lonely = {*sighting_removal.unreferred(db, meant)}
    infos = [info for sha256 in lonely if (info := images.with_sha1(db, sha256))]
    alone = [each for each in gone if not each.sha256 or each.sha256 in lonely]
    forgotten.remember(db, forgotten.marks_of(alone, infos))
    notes.leave(db, _MARK, str(time.time_ns()))
    outbox.forget_images(db, lonely)
    annotations.forget(db, lonely)
    blobs.purge(lonely)
    return len(gone), [info.sha256 for info in remove(db, blobs, infos)]


def shown_by(db: Connection, sha256: str) -> Shown:
    """By what sightings are known to show an image, as far as this store can say."""
    return Shown(keys_of(images.with_sha1(db, sha256), images.names(db, sha256)))


def forget_picture_step(db: Connection, blobs: Blobs, sha256: str, limit: int) -> int:
    """Forget some sightings of an image; with the last of them the image, and everybody's pins.

    Args:
        db: the connection of a transaction.
        blobs: where the files are.
        sha256: of the image.
        limit: how many sightings at most.

    Returns:
        How many sightings. There may be more, unless they are fewer than the limit.
    """
    shown = shown_by(db, sha256)
    resolve(db, sha256, shown)
    gone = sighting_removal.remove_some_of(db, sha256, limit)
    # the order is sent after them, but not what was written down of these later
    if places := places_of(gone, shown.keys):
        outbox.forget_unresolved(db, Shown((), {*places}), math.inf)
    info = images.with_sha1(db, sha256)
    infos = [info] if info else []
    forgotten.remember(db, forgotten.marks_of(gone, infos))
    notes.leave(db, _MARK, str(time.time_ns()))
    if len(gone) < limit:
        db.run("DELETE FROM pins WHERE sha256 = ?", sha256)
        outbox.forget_images(db, [sha256])
        annotations.forget(db, [sha256])
        blobs.purge({sha256})
        remove(db, blobs, infos)
    return len(gone)


def forget_image(db: Connection, blobs: Blobs, sha256: str) -> None:
    """Remove an image that has just come, unless somebody refers to it."""
    for each in sighting_removal.unreferred(db, [sha256]):
        outbox.forget_images(db, [each])
        blobs.purge({each})
        annotations.forget(db, [each])
        info = images.with_sha1(db, each)
        remove(db, blobs, [info] if info else [])


def forget_unresolved(db: Connection, sha256: str, shown: Shown, *, arrived_by: float) -> None:
    """Write down what sightings show that another host has forgotten, so that they go with it.

    Args:
        db: the connection of a transaction.
        sha256: of the image.
        shown: by what the other host knows that they show it.
        arrived_by: only those that arrived by then, in seconds since the epoch.
    """
    here = shown_by(db, sha256)
    shown = Shown({*shown.keys, *here.keys}, {*shown.places})
    resolve(db, sha256, shown, arrived_by)
    outbox.forget_unresolved(db, shown, arrived_by)


def forget_seen(db: Connection, sha256: str, *, limit: int, arrived_by: float) -> int:
    """Forget some sightings of an image that another host has forgotten, and everybody's pins.

    Args:
        db: the connection of a transaction.
        sha256: of the image.
        limit: how many sightings at most.
        arrived_by: only those that arrived by then, in seconds since the epoch.

    Returns:
        How many sightings. There may be more, unless they are fewer than the limit.
    """
    outbox.forget(db, sha256=sha256, arrived_by=arrived_by)
    db.run("DELETE FROM pins WHERE sha256 = ?", sha256)
    return len(sighting_removal.remove_some_of(db, sha256, limit, arrived_by))


def forget_elsewhere(
    db: Connection, blobs: Blobs, digests: Iterable[str], marks: Iterable[tuple[str, str]]
) -> None:
    """Forget images that another host has forgotten, unless somebody refers to them here.

    Args:
        db: the connection of a transaction.
        blobs: where the files are.
        digests: the SHA-256 of the images.
        marks: what they must not be fetched by: see `forgotten.marks_of`.
    """
    forgotten.remember(db, marks)
    notes.leave(db, _MARK, str(time.time_ns()))
    for each in digests:
        forget_image(db, blobs, each)
        if images.by_digest(db, each):  # this host refers to it, and has not said so yet
            outbox.add_image_again(db, each)
            unsent_annotations.add_all_of(db, each)


def mark(db: Connection) -> str:
    """What changes whenever something is forgotten; empty as long as nothing was."""
    return notes.text_of(db, _MARK)
