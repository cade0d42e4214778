"""Orders: to pin, to unpin, to forget; each is obeyed once, and every host is told of it."""

from typing import cast

from ....content.info import ImageInfo
from ...local.outbox import Entry
from ...local.sightings.forgotten import marks_of
from ...local.sightings.unresolved import keys_of, places_of
from ...local.upkeep.sighting_removal import place_names
from . import annotations, images, sightings
from .changes import changed, locked
from .connections import Connection
from .rows import indexed, stored

_STEP = 500
"""Sightings forgotten in one transaction, while which no host can publish anything."""


async def obey(db: Connection, entry: Entry, name: str, *, ahead: float) -> tuple[int, int]:
    """Do what an entry of an outbox orders; how many sightings and images have gone."""
    if entry.kind != "forget":
        await _pin(db, entry, name)
        return 0, 0
    sighted = removed = 0
    while True:
        count, gone = await _forget(db, entry, ahead=ahead)
        sighted, removed = sighted + count, removed + gone
        if count < _STEP:
            return sighted, removed


async def _pin(db: Connection, entry: Entry, name: str) -> None:
    owner = stored(entry.user)
    async with db.transaction():
        new = await db.fetch(
            "INSERT INTO qqimage.obeyed (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING name",
            name,
        )
        if not new:
            return
        await locked(db)
        rows = await db.fetch(
            "INSERT INTO qqimage.pin AS pin VALUES ($1, $2, 1) ON CONFLICT (sha256, owner) "
            "DO UPDATE SET count = pin.count + 1 RETURNING count"
            if entry.kind == "pin"
            else "UPDATE qqimage.pin SET count = count - 1 WHERE sha256 = $1 AND owner = $2 "
            "RETURNING count",
            *(entry.sha256, owner),
        )
        await db.execute("DELETE FROM qqimage.pin WHERE sha256 = $1 AND count < 1", entry.sha256)
        count = max(0, rows[0][0]) if rows else 0
        await changed(db, "pins", {"sha256": entry.sha256, "owner": owner, "count": count})


async def _forget(db: Connection, entry: Entry, *, ahead: float) -> tuple[int, int]:
    """Forget some sightings, and the images that nobody on any host refers to."""
    by = entry.time + ahead
    async with db.transaction():
        await locked(db)
        keys = await _resolve(db, entry, by) if entry.sha256 else []
        ordered = [entry.sha256] if entry.sha256 else [str(each) for each in entry.body or ()]
        gone = (
            await sightings.remove_some(
                db,
                chat=entry.chat,
                user=entry.user,
                sha256=entry.sha256,
                arrived_by=by,
                limit=_STEP,
            )
            if entry.chat or entry.user or entry.sha256
            else []
        )
        if entry.sha256:
            await db.execute("DELETE FROM qqimage.pin WHERE sha256 = $1", entry.sha256)
        unresolved = [each.reference for each in gone if not each.sha256]
        meant = {each.sha256 for each in gone if each.sha256} | {*ordered}
        found = await images.find(db, unresolved, most=0) if unresolved else []
        meant |= {each.info.sha256 for candidates in found for each in candidates}
        lonely = {*await sightings.unreferred(db, [*meant])}
        infos = await images.infos(db, lonely)
        alone = [each for each in gone if not each.sha256 or each.sha256 in lonely]
        await annotations.forget(db, [*lonely])
        await _remove(db, infos, [name for each in gone for name in place_names(each.reference)])
        await changed(
            db,
            "forget",
            {
                "chat": entry.chat,
                "user": entry.user,
                "picture": entry.sha256,
                "keys": keys,
                "places": places_of(gone, keys) if entry.sha256 else [],
                "by": by,
                "images": sorted(lonely),
                "marks": marks_of(alone, infos),
            },
        )
    return len(gone), len(infos)


async def _resolve(db: Connection, entry: Entry, by: float) -> list[str]:
    """Write down which sightings show a picture, so that they go with it; by which keys."""
    # an earlier release orders without keys
    told = cast(dict[str, list[str]], entry.body or {}).get("keys", [])
    infos = await images.infos(db, [entry.sha256])
    names = await images.names(db, entry.sha256)
    keys = sorted({*told, *keys_of(infos[0] if infos else None, names)})
    await sightings.show(db, entry.sha256, keys, by)
    return keys


async def _remove(db: Connection, infos: list[ImageInfo], names: list[str]) -> None:
    await db.execute(
        "DELETE FROM qqimage.image WHERE sha256 = ANY($1)", [info.sha256 for info in infos]
    )
    if names:
        await db.execute(
            "DELETE FROM qqimage.name WHERE name = ANY($1)", [indexed(name) for name in names]
        )
