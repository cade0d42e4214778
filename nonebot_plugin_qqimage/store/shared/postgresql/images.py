"""The images in PostgreSQL: found by what references claim, read, and written."""

from collections.abc import Sequence
from typing import cast

from ....content.info import ImageInfo
from ....messages.reference import ImageReference
from ...local.images import How
from ...local.sightings.sightings import shown_at
from .connections import Connection
from .rows import COLUMNS, indexed, sighting_of, stored

_FACTS = "sha256, md5, mime, size, width, height, frames, sha1"
_IMAGE_FACTS = ", ".join(f"i.{fact}" for fact in _FACTS.split(", "))
# one index after the other, for the planner would read the whole table for an OR over all of them
_FIND = f"""
WITH asked AS (
    SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[],
        $7::text[]) AS asked (number, sha256, sha1, md5, size, name, place)
), found AS (
    SELECT number, asked.sha256, 'digest' AS how FROM asked WHERE asked.sha256 IS NOT NULL
    UNION ALL SELECT number, found.sha256, 'digest' FROM asked CROSS JOIN LATERAL (
        SELECT i.sha256 FROM qqimage.image i WHERE i.sha1 = asked.sha1 LIMIT 1) found
    UNION ALL SELECT number, found.sha256, 'digest' FROM asked CROSS JOIN LATERAL (
        SELECT i.sha256 FROM qqimage.image i WHERE i.md5 = asked.md5
        AND i.size = coalesce(asked.size, i.size) LIMIT 1) found
    UNION ALL SELECT number, n.sha256, 'name' FROM asked JOIN qqimage.name n USING (name)
    UNION ALL SELECT number, n.sha256, 'place' FROM asked
        JOIN qqimage.name n ON n.name = asked.place
)
SELECT number, how, {_IMAGE_FACTS} FROM found JOIN qqimage.image i USING (sha256)
"""
_RANKS: tuple[How, ...] = ("digest", "name", "place")


async def find(
    db: Connection, references: Sequence[ImageReference]
) -> list[list[tuple[ImageInfo, How]]]:
    """The images that each reference may mean by one of its digests or names; one statement."""
    links = [reference.link for reference in references]
    rows = await db.fetch(
        _FIND,
        [*range(len(references))],
        [each.sha256 or None for each in references],
        [(link and link.sha1) or None for link in links],
        [each.md5 or None for each in references],
        [each.size for each in references],
        [indexed(each.names[0]) if each.names else None for each in references],
        [indexed(each.own_key) if each.place or each.served else None for each in references],
    )
    found: list[dict[ImageInfo, How]] = [dict[ImageInfo, How]() for _ in references]
    for row in rows:
        info, how = ImageInfo(*row[2:]), cast(How, row[1])
        there = found[int(row[0])]
        # found in two ways, it counts as found in the one that proves most of this very segment
        if info not in there or _RANKS.index(how) > _RANKS.index(there[info]):
            there[info] = how
    return [[*there.items()] for there in found]


async def at_places(db: Connection, references: Sequence[ImageReference]) -> list[ImageInfo | None]:
    """The image that was seen at the place of each reference; for few, where nothing names it."""
    rows = await db.fetch(
        f"SELECT {COLUMNS} FROM unnest($1::text[], $2::text[]) AS asked (message, bot) "
        "JOIN qqimage.sighting USING (message, bot) WHERE sha256 <> '' ORDER BY arrived DESC, id",
        [indexed(each.message_id) for each in references],
        [indexed(each.self_id) for each in references],
    )
    digests = shown_at(references, map(sighting_of, rows))
    known = {info.sha256: info for info in await infos(db, {*digests} - {""})}
    return [known.get(sha256) for sha256 in digests]


async def infos(db: Connection, digests: "set[str] | Sequence[str]") -> list[ImageInfo]:
    """The facts of the images with these SHA-256, as far as they are there."""
    if not digests:
        return []
    rows = await db.fetch(
        f"SELECT {_FACTS} FROM qqimage.image WHERE sha256 = ANY($1)", list(digests)
    )
    return [ImageInfo(*row) for row in rows]


async def data(db: Connection, sha256: str) -> bytes | None:
    """The bytes of an image; None where it is not there."""
    rows = await db.fetch("SELECT data FROM qqimage.image WHERE sha256 = $1", sha256)
    return bytes(rows[0][0]) if rows else None


async def missing(db: Connection, digests: Sequence[str]) -> set[str]:
    """Those of these SHA-256 that are not there."""
    rows = await db.fetch("SELECT sha256 FROM qqimage.image WHERE sha256 = ANY($1)", list(digests))
    return {*digests} - {row[0] for row in rows}


async def add(db: Connection, images: Sequence[tuple[ImageInfo, bytes, str]]) -> None:
    """Write images down, with their bytes and sources; those that are there stay as they are."""
    infos = [info for info, _, _ in images]
    await db.execute(
        f"INSERT INTO qqimage.image ({_FACTS}, source, data) SELECT * FROM unnest($1::text[], "
        "$2::text[], $3::text[], $4::bigint[], $5::int[], $6::int[], $7::int[], $8::text[], "
        "$9::text[], $10::bytea[]) ON CONFLICT DO NOTHING",
        *([getattr(info, fact) for info in infos] for fact in _FACTS.split(", ")),
        [stored(source) for _, _, source in images],
        [data for _, data, _ in images],
    )


async def add_names(db: Connection, names: Sequence[tuple[str, str]]) -> None:
    """Write down what names mean: pairs of a name and a SHA-256, the last of each name counts."""
    last = {indexed(name): sha256 for name, sha256 in names}
    await db.execute(
        "INSERT INTO qqimage.name SELECT name, sha256 FROM unnest($1::text[], $2::text[]) "
        "AS new (name, sha256) JOIN qqimage.image USING (sha256) ORDER BY name "
        "ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256 "
        "WHERE name.sha256 <> excluded.sha256",
        [*last],
        [*last.values()],
    )


async def note_uses(db: Connection, digests: Sequence[str]) -> None:
    """Note that images were used, at most once a minute each."""
    await db.execute(
        "UPDATE qqimage.image SET used = clock_timestamp() WHERE sha256 IN (SELECT sha256 FROM "
        "qqimage.image WHERE sha256 = ANY($1) AND used < clock_timestamp() - interval '1 minute' "
        # in one order, and none that is locked: two hosts must not wait for each other
        "ORDER BY sha256 FOR UPDATE SKIP LOCKED)",
        list(digests),
    )


async def listed(db: Connection, after: str, limit: int) -> list[ImageInfo]:
    """Images, in the order of their SHA-256, behind the one that is given."""
    rows = await db.fetch(
        f"SELECT {_FACTS} FROM qqimage.image WHERE sha256 > $1 ORDER BY sha256 LIMIT $2",
        *(after, limit),
    )
    return [ImageInfo(*row) for row in rows]
