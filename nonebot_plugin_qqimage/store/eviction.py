"""Eviction: which images leave the store when it is too large or they are too old.

Removal happens in small steps, so that nobody waits long for the index.
"""

import time

from ..content import ImageInfo
from .blobs import Blobs
from .index import Index

_STEP = 64


def evict_step(index: Index, blobs: Blobs, *, max_size: int, max_age: float) -> bool:
    """Remove at most a few images that exceed the bounds, least recently used first.

    Args:
        index: the index, on its thread.
        blobs: where their files are.
        max_size: bytes the store may hold.
        max_age: seconds since the last use that an image may reach.

    Returns:
        Whether there may be more to remove.
    """
    victims = index.least_recently_used(_STEP, before=time.time() - max_age)
    if not victims:
        victims = _until(index.least_recently_used(_STEP), index.totals().bytes - max_size)
    # rows first: a file without a row is only wasted space, a row without its file a promise broken
    if victims:
        index.remove(victims)
    for info in victims:
        blobs.delete(info)
    return bool(victims)


def _until(candidates: list[ImageInfo], excess: int) -> list[ImageInfo]:
    """The first of the candidates that together make up the excess bytes."""
    chosen: list[ImageInfo] = []
    for info in candidates:
        if excess <= 0:
            break
        chosen.append(info)
        excess -= info.size
    return chosen
