"""Eviction: which images leave the store when it is too large or they are too old.

Removal happens in small steps, so that nobody waits long for the index.
"""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass

from ...content.info import ImageInfo
from . import images
from .blobs import Blobs
from .database import Connection

_STEP = 64
"""Images removed in one transaction."""


@dataclass(frozen=True)
class Bounds:
    """How much may stay, and for how long."""

    max_size: int
    """Bytes of all images."""
    max_age: float
    """Seconds since the last use of each."""

    @property
    def oldest(self) -> float:
        """What was last used before this time (seconds since the epoch) is too old."""
        return time.time() - self.max_age


def exceeded(db: Connection, bounds: Bounds) -> bool:
    """Whether images exceed the bounds."""
    if images.totals(db).bytes > bounds.max_size:
        return True
    return bool(images.unused(db, 1, before=bounds.oldest))


def evict_step(db: Connection, blobs: Blobs, bounds: Bounds, keep: str = "") -> list[ImageInfo]:
    """Remove a few of the images that exceed the bounds, least recently used first.

    Pinned ones stay; so do, on Windows, those whose file somebody is reading.

    Args:
        db: the connection of a transaction.
        blobs: where the files are.
        bounds: those of the store.
        keep: the SHA-256 of an image that has just come, for somebody who is about to read it.

    Returns:
        Those removed. There may be more to remove, unless there are none.
    """
    victims, excess = images.unused(db, _STEP, before=bounds.oldest), math.inf
    if not victims:
        excess = images.totals(db).bytes - bounds.max_size
        victims = images.unused(db, _STEP) if excess > 0 else []
    return remove(db, blobs, [info for info in victims if info.sha256 != keep], excess)


def remove(
    db: Connection, blobs: Blobs, victims: Iterable[ImageInfo], excess: float = math.inf
) -> list[ImageInfo]:
    """Remove images for good, until so many bytes have gone; which ones.

    The files go within the transaction, while nobody else can write to the index: whoever stores
    the same image meanwhile either finds the file gone, and writes it again, or comes first.
    """
    gone: list[ImageInfo] = []
    for info in victims:
        if excess <= 0:
            break
        if blobs.delete(info):
            gone.append(info)
            excess -= info.size
    images.remove(db, gone)
    return gone
