"""Eviction: which images leave the store when it is too large or they are too old.

Removal happens in small steps, so that nobody waits long for the index.
"""

import math
import time
from collections.abc import Iterable

from ....content.info import ImageInfo
from .. import images, notes
from ..files.blobs import Blobs
from ..sqlite.database import CLOCK_NOTE, Connection
from .bounds import Bounds, announce, in_use

_STEP = 64
"""Images removed in one transaction."""
_APART = 1e-6
"""Seconds between the uses of images whose times are put right."""
_INTERVAL = 60.0
"""Seconds after which word of the time is left anew."""


def exceeded(db: Connection, bounds: Bounds) -> bool:
    """Whether images exceed the bounds, or larger ones of another process."""
    bounds = in_use(db, bounds)
    if images.totals(db).bytes > bounds.max_size:
        return True
    return bool(images.unused(db, 1, before=oldest(db, bounds)))


def oldest(db: Connection, bounds: Bounds) -> float:
    """What was last used before this time (seconds since the epoch) is too old.

    Nothing is where the clock has jumped a while ago.
    """
    return -math.inf if db.clock.rest else time.time() - bounds.max_age


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
    announce(db, bounds)
    _note_clock(db)
    bounds = in_use(db, bounds)
    victims, excess = images.unused(db, _STEP, before=oldest(db, bounds)), math.inf
    if not victims:
        excess = images.totals(db).bytes - bounds.max_size
        victims = images.unused(db, _STEP) if excess > 0 else []
    return remove(db, blobs, [info for info in victims if info.sha256 != keep], excess)


def heal(db: Connection) -> bool:
    """Put a few times right that lie in the future, in the order of use; whether there are more.

    A clock that was wrong has left them. Until it is trusted again, they stay.
    """
    now = time.time()
    if db.clock.rest:
        return False
    wrong = db.rows("SELECT sha256 FROM images WHERE used > ? ORDER BY used LIMIT ?", now, _STEP)
    ((count,),) = db.rows("SELECT count(*) FROM images WHERE used > ?", now)
    for number, (sha256,) in enumerate(wrong):
        used = now - (count - number) * _APART
        db.run(
            "UPDATE images SET used = ?, added = min(added, ?) WHERE sha256 = ?",
            *(used, used, sha256),
        )
    if wrong:
        db.clock.healed(now)
    return len(wrong) == _STEP


def _note_clock(db: Connection) -> None:
    """Leave word of the time, for the next run to compare its own with."""
    rest = db.clock.rest
    text, left = notes.find(db, CLOCK_NOTE).get(CLOCK_NOTE, ("", 0.0))
    if abs(time.time() - left) > _INTERVAL or abs(rest - float(text or 0)) > _INTERVAL:
        notes.leave(db, CLOCK_NOTE, str(rest))


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
