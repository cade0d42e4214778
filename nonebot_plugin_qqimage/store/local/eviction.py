"""Eviction: which images leave the store when it is too large or they are too old.

Removal happens in small steps, so that nobody waits long for the index.
"""

import math
import time
from collections.abc import Iterable

from ...content.info import ImageInfo
from .blobs import Blobs
from .index import Index

_STEP = 64


def exceeded(index: Index, *, max_size: int, max_age: float) -> bool:
    """Whether images exceed the bounds: bytes of all, and seconds since the last use of each."""
    if index.totals().bytes > max_size:
        return True
    return bool(index.unused(1, before=time.time() - max_age))


def evict_step(
    index: Index, blobs: Blobs, *, max_size: int, max_age: float, keep: str = ""
) -> list[ImageInfo]:
    """Remove a few of the images that exceed the bounds, least recently used first.

    Pinned ones stay; so do, on Windows, those whose file somebody is reading.

    Args:
        index: the index.
        blobs: where the files are.
        max_size: bytes the store may hold.
        max_age: seconds since the last use that an image may reach.
        keep: the SHA-256 of an image that has just come, for somebody who is about to read it.

    Returns:
        Those removed. There may be more to remove, unless there are none.
    """
    if not exceeded(index, max_size=max_size, max_age=max_age):
        return []
    with index.transaction():
        victims, excess = index.unused(_STEP, before=time.time() - max_age), math.inf
        if not victims:
            victims, excess = index.unused(_STEP), index.totals().bytes - max_size
        victims = [info for info in victims if info.sha256 != keep]
        return remove(index, blobs, victims, excess)


def remove(
    index: Index, blobs: Blobs, images: Iterable[ImageInfo], excess: float = math.inf
) -> list[ImageInfo]:
    """Remove images for good, until so many bytes have gone; which ones. Part of a transaction.

    The files go while nobody else can write to the index: whoever stores the same image meanwhile
    either finds the file gone, and writes it again, or comes first.
    """
    gone: list[ImageInfo] = []
    for info in images:
        if excess <= 0:
            break
        if blobs.delete(info):
            gone.append(info)
            excess -= info.size
    index.remove(gone)
    return gone
