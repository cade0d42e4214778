"""`PostgreSQL`: the shared store in one PostgreSQL database."""

import base64
import json
import time
from collections.abc import Sequence

from ....content.info import ImageInfo
from ....messages.reference import ImageReference
from ....messages.sighting import Sighting
from ...local.annotations import Annotation
from ...local.facts import Totals
from ...local.outbox import Entry
from ...local.unsent_annotations import Unsent
from ..breaker import Refused
from ..shared import Change, Host, Lease, New, Pulse, Query, Search, Status, There
from . import annotations, orders, schema, sightings, upkeep
from . import images as pictures
from .changes import up_to_date
from .connections import Connection, Connections
from .pooler import refuse_pooler
from .rows import digest, stored

_MOST_CHANGES = 100
"""Changes told at a time."""
_HEARD = 120.0
"""Seconds for which a process counts that has said nothing."""
_SOME = 4.0
"""Seconds for what is sent in the background."""
_ORDER = 12.0
"""Seconds for forgetting a chat; what is not done by then is when it is asked again."""
_SLOWEST = 200_000
"""Bytes a second that a connection carries at least, or it does not count as one."""
_LONG = 60.0
"""Seconds for what nobody waits for, such as many bytes."""
_PATIENCE = 15.0
"""Seconds for making the tables, for which another host may have to be waited for."""
_MANY = 1_000_000
"""Rows from which on they are not counted, but estimated."""


class _Outdated(Exception):
    """There are changes that whoever publishes has not made yet: nothing is to be written."""


class PostgreSQL:
    """Does what `Shared` says.

    Args:
        url: of the database: ``postgresql://user:password@host:port/name``.
        timeout: seconds within which whatever somebody waits for has to be answered.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._connections = Connections(url, timeout)
        self._prepared = False

    async def find(self, references: Sequence[ImageReference]) -> list[list[There]]:
        """See `Shared.find`."""

        async def look(db: Connection) -> list[list[There]]:
            found = await pictures.find(db, references)
            # what no digest and no name means is known by where it was seen, in whatever chat
            placed = [
                number
                for number, each in enumerate(references)
                if each.place and not found[number] and not (each.md5s or each.link)
            ]
            if placed:
                infos = await pictures.at_places(db, [references[number] for number in placed])
                for number, info in zip(placed, infos, strict=True):
                    found[number] = [There(info, "place", None)] if info else []
            return found

        return await self._connections.run(look)

    async def fetch(self, sha256: str) -> bytes | None:
        """See `Shared.fetch`."""
        return await self._connections.run(lambda db: pictures.data(db, sha256))

    async def missing(self, digests: Sequence[str]) -> set[str]:
        """See `Shared.missing`."""
        return await self._connections.run(lambda db: pictures.missing(db, digests))

    async def publish(
        self,
        entries: Sequence[Entry],
        images: Sequence[New],
        *,
        seen: int,
        ahead: float,
    ) -> bool:
        """See `Shared.publish`."""
        names = [(name, e.sha256) for e in entries if e.kind == "image" for name in e.body[0]]
        seen_ = [entry for entry in entries if entry.kind == "sighting"]
        shown = [entry for entry in entries if entry.kind == "shows"]

        async def write(db: Connection) -> bool:
            try:
                async with db.transaction():
                    if images:  # first: it takes longest, and nobody has to wait for it
                        await pictures.add(db, sorted(images, key=lambda image: image[0].sha256))
                    # from here on nobody can forget anything until all is written, and none of it
                    # has been forgotten yet
                    if not await up_to_date(db, seen, alone=False):
                        raise _Outdated
                    if names:
                        await pictures.add_names(db, names)
                    if seen_:
                        await sightings.add(db, seen_, ahead)
                    if shown:
                        await sightings.resolve(db, shown)
            except _Outdated:
                return False
            return True

        size = sum(len(data) for _, data, _ in images)
        return await self._connections.run(write, _SOME + size / _SLOWEST)

    async def order(self, entry: Entry, name: str, *, ahead: float) -> tuple[int, int]:
        """See `Shared.order`."""
        return await self._connections.run(
            lambda db: orders.obey(db, entry, name, ahead=ahead), _ORDER
        )

    async def claim(self, key: str, holder: str, seconds: float) -> Lease | None:
        """See `Shared.claim`."""

        async def claim(db: Connection) -> Lease | None:
            rows = await db.fetch(
                "INSERT INTO qqimage.lease AS l VALUES ($1, $2, nextval('qqimage.fence'), "
                "clock_timestamp() + make_interval(secs => $3)) ON CONFLICT (key) DO UPDATE SET "
                "holder = excluded.holder, fence = excluded.fence, until = excluded.until "
                "WHERE l.until < clock_timestamp() RETURNING fence, xmax = 0",
                *(digest(key), stored(holder), seconds),
            )
            return Lease(key, rows[0][0], rows[0][1]) if rows else None

        return await self._connections.run(claim)

    async def release(self, leases: Sequence[Lease]) -> None:
        """See `Shared.release`."""
        # the rows stay, so that who comes next knows that somebody was there before
        statement = (
            "UPDATE qqimage.lease l SET until = clock_timestamp() FROM unnest($1::text[], "
            "$2::bigint[]) AS done (key, fence) WHERE l.key = done.key AND l.fence = done.fence"
        )
        keys, fences = [digest(each.key) for each in leases], [each.fence for each in leases]
        await self._connections.run(lambda db: db.execute(statement, keys, fences))

    async def sightings(self, query: Query) -> list[Sighting]:
        """See `Shared.sightings`."""
        return await self._connections.run(lambda db: sightings.find(db, query))

    async def sightings_of(
        self, digests: Sequence[str], chat: str | None, limit: int
    ) -> list[list[Sighting]]:
        """See `Shared.sightings_of`."""
        return await self._connections.run(lambda db: sightings.of(db, digests, chat, limit))

    async def annotate(
        self, said: Sequence[Unsent], store: str, *, seen: int, ahead: float
    ) -> bool:
        """See `Shared.annotate`."""
        return await self._connections.run(
            lambda db: annotations.write(db, said, store, seen=seen, ahead=ahead), _SOME
        )

    async def annotations(self, sha256: str) -> list[Annotation]:
        """See `Shared.annotations`."""
        return await self._connections.run(lambda db: annotations.of(db, sha256))

    async def search_annotations(
        self, search: Search, known: Sequence[Annotation]
    ) -> tuple[list[Annotation], list[Annotation]]:
        """See `Shared.search_annotations`."""
        return await self._connections.run(lambda db: annotations.search(db, search, known))

    async def pins(self, owner: str) -> list[str]:
        """See `Shared.pins`."""

        async def look(db: Connection) -> list[str]:
            rows = await db.fetch(
                "SELECT sha256 FROM qqimage.pin LEFT JOIN qqimage.image USING (sha256) "
                "WHERE owner = $1 ORDER BY added DESC NULLS LAST",
                stored(owner),
            )
            return [row[0] for row in rows]

        return await self._connections.run(look)

    async def pulse(self, since: int, host: Host | None, used: Sequence[str]) -> Pulse:
        """See `Shared.pulse`."""

        async def feel(db: Connection) -> Pulse:
            if host is not None:
                await db.execute(
                    "INSERT INTO qqimage.host VALUES ($1, clock_timestamp(), $2, $3, $4) "
                    "ON CONFLICT (name) DO UPDATE SET at = excluded.at, version = "
                    "excluded.version, max_size = excluded.max_size, max_age = excluded.max_age",
                    *(host.name, host.version, host.max_size, host.max_age),
                )
            if used:
                await pictures.note_uses(db, used)
            before = time.time()
            ((now, last, oldest),) = await db.fetch(
                "SELECT extract(epoch FROM clock_timestamp())::float8, number, "
                "coalesce((SELECT min(number) FROM qqimage.change), number + 1) "
                "FROM qqimage.counter"
            )
            after = time.time()
            changes: list[Change] = []
            if last > since:
                rows = await db.fetch(
                    "SELECT number, kind, body FROM qqimage.change WHERE number > $1 "
                    f"ORDER BY number LIMIT {_MOST_CHANGES}",
                    since,
                )
                changes = [Change(number, kind, json.loads(body)) for number, kind, body in rows]
            return Pulse(now - (before + after) / 2, after - before, last, oldest, changes)

        if not self._prepared:
            await refuse_pooler(self._connections)
            await self._connections.run(schema.prepare, _PATIENCE)
            self._prepared = True
        try:
            return await self._connections.run(feel)
        except Refused:
            self._prepared = False  # somebody may have put an empty database in its place
            raise

    async def secret(self, offered: bytes) -> bytes:
        """See `Shared.secret`."""

        async def agree(db: Connection) -> bytes:
            text = base64.b64encode(offered).decode()
            await db.execute(
                "INSERT INTO qqimage.meta VALUES ('secret', $1) ON CONFLICT DO NOTHING", text
            )
            (row,) = await db.fetch("SELECT value FROM qqimage.meta WHERE name = 'secret'")
            return base64.b64decode(row[0])

        return await self._connections.run(agree)

    async def collect(self, limit: int) -> tuple[int, int]:
        """See `Shared.collect`."""
        return await self._connections.run(lambda db: upkeep.collect(db, limit), _ORDER)

    async def listed(self, after: str, limit: int) -> list[ImageInfo]:
        """See `Shared.listed`."""
        return await self._connections.run(lambda db: pictures.listed(db, after, limit), _LONG)

    async def drop(self, sha256: str) -> None:
        """See `Shared.drop`."""
        statement = "DELETE FROM qqimage.image WHERE sha256 = $1"
        await self._connections.run(lambda db: db.execute(statement, sha256))

    async def status(self) -> Status:
        """See `Shared.status`."""

        async def look(db: Connection) -> Status:
            begun = time.monotonic()
            ((now, server),) = await db.fetch(
                "SELECT extract(epoch FROM clock_timestamp())::float8, "
                "current_setting('server_version')"
            )
            latency = time.monotonic() - begun
            ((count, size, pinned, schema_),) = await db.fetch(
                "SELECT (SELECT count(*) FROM qqimage.image), "
                "(SELECT coalesce(sum(size), 0)::bigint FROM qqimage.image), "
                "(SELECT count(DISTINCT sha256) FROM qqimage.pin), "
                "(SELECT value::int FROM qqimage.meta WHERE name = 'version')"
            )
            ((seen,),) = await db.fetch(
                "SELECT CASE WHEN reltuples < $1 THEN (SELECT count(*) FROM qqimage.sighting) "
                "ELSE reltuples::bigint END FROM pg_class WHERE oid = 'qqimage.sighting'::regclass",
                float(_MANY),
            )
            hosts = await db.fetch(
                "SELECT name, extract(epoch FROM clock_timestamp() - at)::float8, version, "
                "max_size, max_age FROM qqimage.host WHERE at > clock_timestamp() - "
                "make_interval(secs => $1) ORDER BY name",
                _HEARD,
            )
            totals = Totals(count, size)
            every = [Host(*row) for row in hosts]
            name = f"PostgreSQL {server}"
            return Status(name, schema_, latency, now, totals, seen, pinned, every)

        return await self._connections.run(look, _LONG)

    async def close(self) -> None:
        """See `Shared.close`."""
        await self._connections.close()
