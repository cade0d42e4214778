"""The outbox: what the shared store is yet to be told, in the order in which it happened.

Every function blocks. What changes the table is given the connection of the transaction in which
it happens, so that nothing is kept without being told. The bytes stay in the images' files.
"""

import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ...messages.reference import ImageReference
from . import notes
from .sightings.rows import load
from .sightings.unresolved import Shown
from .sqlite.database import Connection, Row, where

Kind = Literal["image", "sighting", "shows", "pin", "unpin", "forget"]
"""What there is to tell: an image and names for it, where one was seen, what sightings show,
that an owner keeps an image or does not any more, that a chat or a user is forgotten."""
_MAX = 200_000
"""Rows kept while the shared store is away, some 150 MB; the oldest images and sightings go."""
_SENDER = "shared:sender"
_PATIENCE = 10.0
"""Seconds after which what one process was sending is taken by another: it has been killed."""
_STORE = "shared:store"
_ORDERS = ("pin", "unpin", "forget")
"""What somebody has asked for: it is never left out, and sent by itself."""


@dataclass(frozen=True)
class Entry:
    """Something to tell."""

    id: int
    """Its number; none is given twice by one store."""
    kind: Kind
    """What kind of thing."""
    sha256: str
    """Of the image; empty for none."""
    chat: str
    """The chat, empty for none or any."""
    user: str
    """The user, empty for none or any."""
    time: float
    """When it happened, by this machine's clock, in seconds since the epoch."""
    body: Any
    """The rest, as JSON knows it."""


def add_image(db: Connection, sha256: str, names: Sequence[str], source: str) -> None:
    """Tell of a stored image, and of names for it."""
    _add(db, [("image", sha256, "", "", time.time(), json.dumps([names, source]))])


def add_image_again(db: Connection, sha256: str) -> None:
    """Tell of a stored image that the shared store may not have any more."""
    for (source,) in db.rows("SELECT source FROM images WHERE sha256 = ?", sha256):
        add_image(db, sha256, (), source)


def add_sightings(db: Connection, rows: Iterable[Row]) -> None:
    """Tell of sightings, each as `rows.row` gives it."""
    # its places: 3 chat, 4 user, 6 sha256, 10 arrived
    _add(
        db,
        [("sighting", row[6], row[3], row[4], row[10], json.dumps(row)) for row in rows],
    )


def add_shown(db: Connection, shown: Iterable[tuple[str, Sequence[str], ImageReference]]) -> None:
    """Tell which images sightings show: the SHA-256, the keys, and a reference at the place."""
    now = time.time()
    _add(
        db,
        [
            (
                *("shows", sha256, reference.chat, "", now),
                json.dumps([keys, reference.message_id, reference.self_id, reference.place]),
            )
            for sha256, keys, reference in shown
        ],
    )


def add_pin(db: Connection, kind: Literal["pin", "unpin"], sha256: str, owner: str) -> None:
    """Tell that an owner keeps an image, or does not any more."""
    _add(db, [(kind, sha256, "", owner, time.time(), "null")])


def forget(
    db: Connection,
    *,
    chat: str | None = None,
    user: str | None = None,
    sha256: str | None = None,
    arrived_by: float,
) -> None:
    """Do not tell of the sightings of a chat, a user or an image any more."""
    conditions, values = where({"chat = ?": chat, "user = ?": user, "sha256 = ?": sha256})
    db.run(
        f"DELETE FROM outbox WHERE kind = 'sighting' AND time <= ? AND {conditions}",
        *(arrived_by, *values),
    )


def forget_unresolved(db: Connection, shown: Shown, arrived_by: float) -> None:
    """Do not tell of sightings of an image of which nobody has written down that they show it."""
    rows = db.rows(
        "SELECT id, body FROM outbox WHERE kind = 'sighting' AND sha256 = '' AND time <= ?",
        arrived_by,
    )
    meant = list[Row]()
    for id_, body in rows:
        row = json.loads(body)  # its places: 3 to 5 chat, user and time, 6 sha256, 8 reference
        if shown.means(load((row[8], *row[3:7], *row[9:]))):
            meant.append((id_,))
    db.run_many("DELETE FROM outbox WHERE id = ?", meant)


def add_forgetting(
    db: Connection,
    *,
    chat: str | None = None,
    user: str | None = None,
    picture: str = "",
    keys: Sequence[str] = (),
    images: Sequence[str] = (),
) -> int:
    """Tell that a chat, a user or a picture is forgotten, or images; the number of the entry.

    Args:
        db: the connection.
        chat: the chat; None for any.
        user: the user; None for any.
        picture: the SHA-256 of an image that goes whoever refers to it; empty for none.
        keys: by what sightings are known to show it, though nobody has written that down.
        images: the SHA-256 of images that have gone here, and go where nobody refers to them.
    """
    body = json.dumps({"keys": keys} if picture else images)
    _add(db, [("forget", picture, chat or "", user or "", time.time(), body)])
    return int(db.rows("SELECT max(id) FROM outbox")[0][0])


def forget_images(db: Connection, digests: Iterable[str]) -> None:
    """Do not tell of some images any more."""
    statement = "DELETE FROM outbox WHERE kind IN ('image', 'shows') AND sha256 = ?"
    db.run_many(statement, [(sha256,) for sha256 in digests])


def take(db: Connection, sender: str, limit: int) -> list[Entry]:
    """The next entries, for one process to send: orders one by one, all others together.

    Args:
        db: the connection.
        sender: the name of the process; the others get none until `let_others`, or for a while.
        limit: how many at most.
    """
    holder, since = notes.find(db, _SENDER).get(_SENDER, ("", 0.0))
    if holder not in ("", sender) and abs(time.time() - since) < _PATIENCE:
        return []
    rows = db.rows(
        "SELECT id, kind, sha256, chat, user, time, body FROM outbox ORDER BY id LIMIT ?", limit
    )
    if not rows:
        return []
    notes.leave(db, _SENDER, sender)
    entries = [
        Entry(id_, kind, sha256, chat, user, when, json.loads(body))
        for id_, kind, sha256, chat, user, when, body in rows
    ]
    orders = [number for number, entry in enumerate(entries) if entry.kind in _ORDERS]
    return entries[: max(1, orders[0])] if orders else entries


def sent(db: Connection, sender: str, entries: Iterable[Entry]) -> None:
    """Leave out what a process has told; it may go on sending."""
    db.run_many("DELETE FROM outbox WHERE id = ?", [(entry.id,) for entry in entries])
    if notes.text_of(db, _SENDER) == sender:
        notes.leave(db, _SENDER, sender)


def let_others(db: Connection, sender: str) -> None:
    """Let other processes send."""
    if notes.text_of(db, _SENDER) == sender:
        notes.forget(db, _SENDER, before=float("inf"))


def drop(db: Connection) -> int:
    """Tell of nothing that waits, but for orders; how many entries are left out."""
    return db.run("DELETE FROM outbox WHERE kind NOT IN ('pin', 'unpin', 'forget')")


def store_name(db: Connection) -> str:
    """What this store is called in the names of its orders; it is given one the first time."""
    name = notes.text_of(db, _STORE)
    if not name:
        name = os.urandom(8).hex()
        notes.leave(db, _STORE, name)
    return name


def forgetting(db: Connection) -> bool:
    """Whether the shared store is yet to be told to forget something."""
    return bool(db.rows("SELECT 1 FROM outbox WHERE kind = 'forget' LIMIT 1"))


def waiting(db: Connection) -> dict[Kind, int]:
    """How many entries of each kind wait."""
    rows = db.rows("SELECT kind, count(*) FROM outbox GROUP BY kind")
    return {kind: count for kind, count in rows if kind in get_args(Kind)}


def _add(db: Connection, rows: list[Row]) -> None:
    db.run_many(
        "INSERT INTO outbox (kind, sha256, chat, user, time, body) VALUES (?, ?, ?, ?, ?, ?)", rows
    )
    # the numbers bound how many there are, so that nobody has to count
    last, first = db.rows("SELECT max(id), min(id) FROM outbox")[0]
    if last is not None and last - first >= _MAX:
        dropped = db.run(
            "DELETE FROM outbox WHERE id <= ? AND kind NOT IN ('pin', 'unpin', 'forget')",
            last - _MAX,
        )
        notes.add_counts(db, {("shared", "dropped"): dropped} if dropped else {})
