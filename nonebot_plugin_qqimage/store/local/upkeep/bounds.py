"""The bounds of a store: where several processes use it, the largest ones in use hold.

Each process leaves a note of its own bounds, so that one with smaller ones does not remove what
another one wants to keep.
"""

import json
import os
import socket
import time
from dataclasses import asdict, dataclass

from .. import notes
from ..sqlite.database import Connection

_PREFIX = "bounds:"
"""What the names of these notes start with; then come host and process."""
_FRESH = 300.0
"""Seconds for which a note counts; a process that has been killed takes none back."""
_INTERVAL = 60.0
"""Seconds after which a note is left anew."""


@dataclass(frozen=True)
class Bounds:
    """How much may stay, and for how long."""

    max_size: int
    """Bytes of all images."""
    max_age: float
    """Seconds since the last use of each."""


def announce(db: Connection, own: Bounds) -> None:
    """Let the other processes know of this one's bounds, unless they do already."""
    name, text = _PREFIX + here(), json.dumps(asdict(own))
    known, left = notes.find(db, name).get(name, ("", 0.0))
    if known != text or abs(time.time() - left) > _INTERVAL:
        notes.leave(db, name, text)


def withdraw(db: Connection) -> None:
    """Take this process's note back."""
    notes.forget(db, _PREFIX + here(), before=float("inf"))


def announced(db: Connection) -> dict[str, Bounds]:
    """The bounds of each process that uses the store, by host and process."""
    now, found = time.time(), notes.find(db, _PREFIX)
    return {
        name.removeprefix(_PREFIX): Bounds(**json.loads(text))
        for name, (text, left) in found.items()
        # where the clock has jumped, nobody knows how old the notes are
        if abs(now - left) < _FRESH or db.clock.rest
    }


def in_use(db: Connection, own: Bounds) -> Bounds:
    """The bounds that hold, where these are those of this process."""
    all_ = [own, *(each for name, each in announced(db).items() if name != here())]
    return Bounds(max(each.max_size for each in all_), max(each.max_age for each in all_))


def here() -> str:
    """What this process is called in `announced`."""
    # ends in a colon, so that forgetting it forgets no note whose name starts like it
    return f"{socket.gethostname()}:{os.getpid()}:"
