"""What keeps the tables in PostgreSQL small: images, sightings, and what is told to hosts."""

from .connections import Connection

_LOCK = 0x71_71_69_6D_67_63
"""The number of the advisory lock of the one host that removes something, so that two do not."""
_MAX_SIGHTINGS = 5_000_000
"""Sightings kept; the oldest go first."""
_MAX_CHANGES = 100_000
"""Changes kept for hosts that are away; one that misses more empties its outbox."""


async def collect(db: Connection, limit: int) -> tuple[int, int]:
    """Remove some of what exceeds the bounds; how many images, and of how many bytes.

    The largest bounds hold that any host has set which was heard of in the last day.
    """
    async with db.transaction():
        (got,) = await db.fetch(f"SELECT pg_try_advisory_xact_lock({_LOCK})")
        if not got[0]:
            return 0, 0
        (bounds,) = await db.fetch(
            "SELECT max(max_size), max(max_age) FROM qqimage.host "
            "WHERE at > clock_timestamp() - interval '1 day'"
        )
        max_size, max_age = bounds
        if max_size is None:
            return 0, 0
        await _collect_rest(db, limit, max_age)
        (sizes,) = await db.fetch("SELECT coalesce(sum(size), 0)::bigint FROM qqimage.image")
        excess = sizes[0] - max_size
        if excess <= 0:
            return 0, 0
        rows = await db.fetch(
            "WITH old AS (SELECT sha256, size, used FROM qqimage.image i WHERE NOT EXISTS "
            "(SELECT 1 FROM qqimage.pin p WHERE p.sha256 = i.sha256) ORDER BY used LIMIT $1 "
            "FOR UPDATE SKIP LOCKED), "
            "victim AS (SELECT sha256, sum(size) OVER (ORDER BY used, sha256) - size AS before "
            "FROM old) DELETE FROM qqimage.image i USING victim v WHERE i.sha256 = v.sha256 "
            "AND v.before < $2 RETURNING i.size",
            *(limit, excess),
        )
        return len(rows), sum(row[0] for row in rows)


async def _collect_rest(db: Connection, limit: int, max_age: float) -> None:
    await db.execute(
        "DELETE FROM qqimage.sighting WHERE id IN (SELECT id FROM qqimage.sighting s WHERE "
        "(arrived < extract(epoch FROM clock_timestamp()) - $2 "
        "OR id <= (SELECT max(id) FROM qqimage.sighting) - $3) AND NOT EXISTS "
        "(SELECT 1 FROM qqimage.pin p WHERE p.sha256 = s.sha256) ORDER BY arrived LIMIT $1)",
        *(limit, max_age, _MAX_SIGHTINGS),
    )
    await db.execute(
        f"DELETE FROM qqimage.change WHERE number <= (SELECT number - {_MAX_CHANGES} "
        "FROM qqimage.counter);"
        "DELETE FROM qqimage.obeyed WHERE at < clock_timestamp() - interval '90 days';"
        "DELETE FROM qqimage.lease WHERE until < clock_timestamp() - interval '1 hour';"
        "DELETE FROM qqimage.host WHERE at < clock_timestamp() - interval '1 day'"
    )
