"""The images in PostgreSQL: found by what references claim, read, and written."""

from collections.abc import Sequence

from ....content.info import ImageInfo
from ....messages.reference import ImageReference
from ...local.images import How
from ...local.sightings.sightings import shown_at
from ..shared import New, There
from .connections import Connection
from .rows import COLUMNS, indexed, sighting_of, stored

_FACTS = "sha256, md5, mime, size, width, height, frames, sha1"
_IMAGE_FACTS = ", ".join(f"i.{fact}" for fact in _FACTS.split(", "))
_NAMED = "qqimage.name n JOIN qqimage.image i USING (sha256) WHERE n.name = asked.what"
_WAYS: dict[str, tuple[How, str]] = {
    "sha256": ("digest", "qqimage.image i WHERE i.sha256 = asked.what"),
    "sha1": ("digest", "qqimage.image i WHERE i.sha1 = asked.what"),
    "md5": (
        "digest",
        "qqimage.image i WHERE i.md5 = asked.what AND i.size = coalesce(asked.size, i.size)",
    ),
    "name": ("name", _NAMED),
    "place": ("place", _NAMED),
}
"""What an image is looked up by: how it counts as found then, and where it is looked for."""
_RANKS: tuple[How, ...] = ("digest", "name", "place")
_BYTES = 1 << 20
"""Bytes of images that come along with what is known of them, for they are asked for next."""


async def find(
    db: Connection, references: Sequence[ImageReference], *, most: int = _BYTES
) -> list[list[There]]:
    """The images that each reference may mean by one of its digests or names; one statement.

    Args:
        db: the connection.
        references: the references.
        most: bytes of images that may come along, shared out evenly; 0 for none.
    """
    links = [each.link for each in references]
    claims: dict[str, list[str | None]] = {
        "sha256": [each.sha256 or None for each in references],
        "sha1": [(link and link.sha1) or None for link in links],
        "md5": [each.md5 or None for each in references],
        "name": [indexed(each.names[0]) if each.names else None for each in references],
        "place": [
            indexed(each.own_key) if each.place or each.served else None for each in references
        ],
    }
    found: list[list[There]] = [[] for _ in references]
    ways = [way for way, whats in claims.items() if any(whats)]
    if not ways:
        return found
    alone = len(references) == 1
    sizes = [each.size for each in references]
    columns = [sizes if any(sizes) else [None], *(claims[way] for way in ways)]
    rows = await db.fetch(
        " UNION ALL ".join(_looked_up(way, f"${3 + n}", alone=alone) for n, way in enumerate(ways)),
        most // len(references),
        *(column[0] if alone else column for column in columns),
    )
    for row in rows:
        new = There(ImageInfo(*row[3:]), row[1], row[2])
        there = found[int(row[0]) - 1]
        same = next((old for old in there if old.info == new.info), None) if there else None
        # found in two ways, it counts as found in the one that proves most of this very segment
        if same is None:
            there.append(new)
        elif _RANKS.index(new.how) > _RANKS.index(same.how):
            there[there.index(same)] = new
    return found


def _looked_up(way: str, what: str, *, alone: bool) -> str:
    how, where = _WAYS[way]
    asked = f"unnest({what}::text[], $2::bigint[]) WITH ORDINALITY"
    if alone:  # without an array, whose length the planner would plan for each time
        asked = f"(VALUES ({what}::text, $2::bigint, 1))"
    # a LIMIT for each: without, the planner would read whole tables rather than use their indexes
    return (
        f"SELECT number, '{how}' AS how, i.* FROM {asked} AS asked (what, size, number) "
        f"CROSS JOIN LATERAL (SELECT CASE WHEN i.size <= $1 THEN i.data END, {_IMAGE_FACTS} "
        f"FROM {where} LIMIT 1) i"
    )


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
    rows = await db.fetch(
        "SELECT what FROM unnest($1::text[]) AS asked (what) CROSS JOIN LATERAL "
        "(SELECT 1 FROM qqimage.image i WHERE i.sha256 = asked.what LIMIT 1) i",  # as above
        list(digests),
    )
    return {*digests} - {row[0] for row in rows}


async def add(db: Connection, images: Sequence[New]) -> None:
    """Write images down, with their bytes and sources; those that are there stay as they are."""
    # one row at a time, all on their way at once: an array of them would be copied there once more
    await db.executemany(
        f"INSERT INTO qqimage.image ({_FACTS}, source, data) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        [
            (*(getattr(info, fact) for fact in _FACTS.split(", ")), stored(source), data)
            for info, data, source in images
        ],
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


async def names(db: Connection, sha256: str) -> list[str]:
    """The names that mean an image, as they are indexed."""
    rows = await db.fetch("SELECT name FROM qqimage.name WHERE sha256 = $1", sha256)
    return [row[0] for row in rows]


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
