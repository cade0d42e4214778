"""The sightings in PostgreSQL: written, resolved and asked for."""

from collections.abc import Sequence
from typing import Any

from ....messages.sighting import Sighting
from ...local.outbox import Entry
from ...local.sightings.sightings import Query, is_at
from .connections import Connection
from .rows import COLUMNS, indexed, sighting_of, sighting_values

_TYPES = (
    *("text", "text", "text", "int", "text", "text", "double precision", "text", "text"),
    *("text", "text", "double precision"),
)
_NEW = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(_TYPES, 1))
_INSERT = (
    'INSERT INTO qqimage.sighting (identity, message, bot, position, chat, "user", time, sha256, '
    f"key, reference, more, arrived) SELECT * FROM unnest({_NEW}) "
    "ON CONFLICT (identity) DO UPDATE SET sha256 = excluded.sha256 "
    "WHERE sighting.sha256 = '' AND excluded.sha256 <> ''"
)


async def add(db: Connection, entries: Sequence[Entry], ahead: float) -> None:
    """Write sightings down; of those that are there it is learned at most what they show.

    Args:
        db: the connection.
        entries: of an outbox.
        ahead: seconds by which the database's clock is ahead of the host's.
    """
    rows = {row[0]: row for row in (sighting_values(entry.body, ahead) for entry in entries)}
    # in one order, or two hosts that have the same bot could wait for each other
    await db.execute(_INSERT, *map(list, zip(*(rows[each] for each in sorted(rows)), strict=True)))


async def resolve(db: Connection, entries: Sequence[Entry]) -> None:
    """Write down which images sightings show that were seen before they came."""
    keys, digests = list[str](), list[str]()
    for entry in entries:
        own, message, bot, place = entry.body
        if own:
            keys += map(indexed, own)
            digests += [entry.sha256] * len(own)
        else:  # nothing but the place may speak for it
            await _resolve_at(db, entry, message, bot, place)
    if keys:
        await db.execute(
            "UPDATE qqimage.sighting s SET sha256 = asked.sha256 FROM unnest($1::text[], "
            "$2::text[]) AS asked (key, sha256) WHERE s.sha256 = '' AND s.key = asked.key",
            *(keys, digests),
        )


async def show(db: Connection, sha256: str, keys: Sequence[str], arrived_by: float) -> None:
    """Write down that sightings with some keys show an image, of those that arrived by a time."""
    await db.execute(
        "UPDATE qqimage.sighting SET sha256 = $1 WHERE sha256 = '' AND key = ANY($2) "
        "AND arrived <= $3",
        *(sha256, [indexed(key) for key in keys], arrived_by),
    )


async def _resolve_at(db: Connection, entry: Entry, message: str, bot: str, place: str) -> None:
    rows = await db.fetch(
        f"SELECT id, {COLUMNS} FROM qqimage.sighting WHERE message = $1 AND bot = $2 "
        "AND sha256 = ''",
        *(indexed(message), indexed(bot)),
    )
    there = [row[0] for row in rows if is_at(sighting_of(row[1:]), place, entry.chat)]
    if there:
        await db.execute(
            "UPDATE qqimage.sighting SET sha256 = $1 WHERE id = ANY($2)", entry.sha256, there
        )


async def find(db: Connection, query: Query) -> list[Sighting]:
    """The sightings that fit, the latest first."""
    given: dict[str, object | None] = {
        "sha256 = ": query.sha256 or None,
        "bot = ": query.bot and indexed(query.bot),
        "chat = ": query.chat and indexed(query.chat),
        '"user" = ': query.user and indexed(query.user),
        "message = ": query.message_id and indexed(query.message_id),
        "time >= ": query.since,
        '"user" <> ': query.not_by,
        "arrived <= ": query.arrived_by,
    }
    fitting: dict[str, Any] = {how: value for how, value in given.items() if value is not None}
    conditions = [f"{how}${number}" for number, how in enumerate(fitting, 1)]
    rows = await db.fetch(
        f"SELECT {COLUMNS} FROM qqimage.sighting WHERE {' AND '.join(conditions) or 'TRUE'} "
        f"ORDER BY arrived DESC, id DESC LIMIT {query.limit:d}",
        *fitting.values(),
    )
    return [sighting_of(row) for row in rows]


async def of(
    db: Connection, digests: Sequence[str], chat: str | None, limit: int
) -> list[list[Sighting]]:
    """The sightings of each of some images, the latest first; one statement."""
    rows = await db.fetch(
        f"SELECT number, {COLUMNS} FROM unnest($1::text[]) WITH ORDINALITY AS asked (what, number) "
        "CROSS JOIN LATERAL (SELECT * FROM qqimage.sighting s WHERE s.sha256 = asked.what "
        f"AND s.sha256 <> '' {'' if chat is None else 'AND s.chat = $2'} "
        f"ORDER BY s.arrived DESC, s.id DESC LIMIT {limit:d}) found ORDER BY number, arrived DESC, "
        "id DESC",
        *([*digests], *(() if chat is None else (indexed(chat),))),
    )
    found: list[list[Sighting]] = [[] for _ in digests]
    for row in rows:
        found[int(row[0]) - 1].append(sighting_of(row[1:]))
    return found


async def unreferred(db: Connection, digests: Sequence[str]) -> list[str]:
    """Those of the images that no sighting and no pin refers to."""
    rows = await db.fetch(
        "SELECT asked FROM unnest($1::text[]) AS asked WHERE NOT EXISTS "
        "(SELECT 1 FROM qqimage.sighting s WHERE s.sha256 = asked AND s.sha256 <> '') "
        "AND NOT EXISTS (SELECT 1 FROM qqimage.pin p WHERE p.sha256 = asked)",
        list(digests),
    )
    return [row[0] for row in rows]


async def remove_some(
    db: Connection, *, chat: str, user: str, sha256: str, arrived_by: float, limit: int
) -> list[Sighting]:
    """Remove some of the sightings of a chat, a user or an image; which ones.

    Args:
        db: the connection.
        chat: the chat; empty for any.
        user: the user; empty for any.
        sha256: of the image; empty for any.
        arrived_by: only those that had arrived by then.
        limit: how many at most.
    """
    rows = await db.fetch(
        "DELETE FROM qqimage.sighting WHERE id IN (SELECT id FROM qqimage.sighting WHERE "
        "($1 = '' OR chat = $1) AND ($2 = '' OR \"user\" = $2) AND arrived <= $3 "
        "AND ($5 = '' OR sha256 = $5) LIMIT $4) "
        f"RETURNING {COLUMNS}",
        *(indexed(chat), indexed(user), arrived_by, limit, sha256),
    )
    return [sighting_of(row) for row in rows]
