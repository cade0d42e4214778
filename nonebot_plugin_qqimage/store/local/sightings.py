"""The table of sightings: where each image was seen, and how to ask for it again.

Every function blocks. What changes the table is given the connection of a transaction.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, cast

from ...content.info import ImageInfo
from ...messages.reference import ImageReference
from ...messages.sighting import Sighting
from . import images
from .database import Connection, Row

_MAX_SIGHTINGS = 1_000_000
"""Sightings kept; the oldest go first."""
_COLUMNS = "reference, chat, user, time, sha256"
# but the image itself, or the path of a file that this bot once sent
_FIELDS = [each.name for each in fields(ImageReference) if each.name != "content"]
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class IsImage:
    """That a reference which was seen means a certain image, yet to be written down."""

    sha256: str
    key: str
    """`ImageReference.key`: all sightings that have it are meant, if there is no place."""
    place: tuple[str, str, int] | None
    """Message, bot and position of the only sighting that is meant."""

    @classmethod
    def of(cls, reference: ImageReference, info: ImageInfo) -> "IsImage":
        """That a reference turned out to mean an image."""
        # a name that the content does not confirm must not speak for other messages
        spoken_for = reference.md5 in ("", info.md5)
        return cls(info.sha256, reference.key, None if spoken_for else _place(reference))


def lean(sighting: Sighting) -> Sighting:
    """A sighting as it is written down: without the image itself, which would take memory."""
    if not sighting.reference.content:
        return sighting
    return replace(sighting, reference=replace(sighting.reference, content=""))


def add(db: Connection, seen: Iterable[Sighting]) -> None:
    """Write sightings down. Of what is seen again, as when it is quoted, the first one stays."""
    db.insert_many(
        "INSERT OR IGNORE INTO sightings "
        "(message, bot, position, chat, user, time, sha256, key, reference) VALUES",
        map(_row, seen),
    )


def identify(db: Connection, found: Iterable[IsImage]) -> None:
    """Write down which image unresolved sightings show."""
    for each in found:
        if each.place is None:
            where, values = "key = ?", [each.key]
        else:
            where, values = "message = ? AND bot = ? AND position = ?", each.place
        statement = f"UPDATE sightings SET sha256 = ? WHERE sha256 = '' AND {where}"
        db.run(statement, each.sha256, *map(_storable, values))


def find(
    db: Connection,
    *,
    sha256: str | None = None,
    bot: str | None = None,
    chat: str | None = None,
    user: str | None = None,
    message_id: str | None = None,
    since: float | None = None,
    limit: int,
) -> list[Sighting]:
    """The sightings that fit all that is given, the latest first."""
    given = {"sha256": sha256, "bot": bot, "chat": chat, "user": user, "message": message_id}
    conditions = [f"{name} = ?" for name, value in given.items() if value is not None]
    values: list[object] = [value for value in given.values() if value is not None]
    if since is not None:
        conditions.append("time >= ?")
        values.append(since)
    rows = db.rows(
        f"SELECT {_COLUMNS} FROM sightings WHERE {' AND '.join(conditions) or 'TRUE'} "
        "ORDER BY time DESC, id DESC LIMIT ?",
        *(*values, limit),
    )
    return [_load(row) for row in rows]


def count(db: Connection, *, chat: str | None = None, user: str | None = None) -> int:
    """How many sightings there are: all of them, or those in a chat, or of a user, or both."""
    given = {"chat = ?": chat, "user = ?": user}
    fitting = {condition: value for condition, value in given.items() if value is not None}
    where = " AND ".join(fitting) or "TRUE"
    return int(db.rows(f"SELECT count(*) FROM sightings WHERE {where}", *fitting.values())[0][0])


def remove_some(
    db: Connection, *, chat: str | None, user: str | None, limit: int
) -> list[Sighting]:
    """Forget some of the sightings of a chat or a user, with the names they gave; which ones.

    The images are left: see which ones are `unreferred` to.
    """
    found = find(db, chat=chat, user=user, limit=limit)
    for sighting in found:
        reference = sighting.reference
        db.run(
            "DELETE FROM sightings WHERE message = ? AND bot = ? AND position = ?",
            *_place(reference),
        )
        if not reference.face_id:  # which is the same everywhere
            images.forget_names(db, reference.names)
    return found


def unreferred(db: Connection, digests: Iterable[str]) -> list[str]:
    """Those of the images that no sighting, no other name and no pin refers to."""
    return [
        sha256
        for sha256 in set(digests)
        if not db.rows(
            "SELECT 1 FROM sightings WHERE sha256 = ?1 UNION ALL "
            "SELECT 1 FROM names WHERE sha256 = ?1 UNION ALL "
            "SELECT 1 FROM pins WHERE sha256 = ?1 LIMIT 1",
            sha256,
        )
    ]


def evict(db: Connection, before: float, limit: int) -> bool:
    """Remove some sightings that are too old or too many; whether there may be more.

    Args:
        db: the connection.
        before: seconds since the epoch.
        limit: how many at most.
    """
    # ids grow with time, and their difference bounds their number: no counting, no scan
    removed = db.run(
        "DELETE FROM sightings WHERE id IN (SELECT id FROM sightings ORDER BY id LIMIT ?) "
        "AND (time < ? OR id <= (SELECT max(id) FROM sightings) - ?)",
        *(limit, before, _MAX_SIGHTINGS),
    )
    return removed == limit


def _place(reference: ImageReference) -> tuple[str, str, int]:
    return reference.message_id or reference.file_id, reference.self_id, reference.position


def _row(sighting: Sighting) -> Row:
    reference = sighting.reference
    # every default is falsy
    said = {name: value for name in _FIELDS if (value := getattr(reference, name))}
    row = (
        *(*_place(reference), sighting.chat, sighting.user, sighting.time),
        *(sighting.sha256, reference.key, _encode(said)),
    )
    return tuple(map(_storable, row))


def _storable(value: object) -> object:
    """The value; half an emoji, as JSON can carry it, fits into no database."""
    if isinstance(value, str) and not value.isascii():
        return value.encode(errors="replace").decode()
    return value


def _load(row: Row) -> Sighting:
    said, *rest = row
    known = cast(dict[str, Any], json.loads(said))
    return Sighting(ImageReference(**known), *rest)
