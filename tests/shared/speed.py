"""What the shared store costs beside bare asyncpg, in one run on one machine."""

import asyncio
import hashlib
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import asyncpg

from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..store.pictures import Picture
from .hosts import ROOMY, Hosts
from .line import Line
from .server import Server

_COUNT = 512
_SIZE = 100_000
_ROUNDS = 5


async def speed(folder: Path, server: Server) -> list[Line]:
    """Compare, round by round, so that both have the same machine."""
    url = server.database()
    hosts = Hosts(folder, url)
    pool = await asyncpg.create_pool(url, min_size=8, max_size=8)
    await pool.execute(
        "CREATE TABLE bare (sha256 text PRIMARY KEY, md5 text, size bigint, data bytea);"
        "ALTER TABLE bare ALTER COLUMN data SET STORAGE EXTERNAL; CREATE INDEX ON bare (md5)"
    )
    pictures = [Picture(number, filler=_SIZE) for number in range(_COUNT)]
    try:
        one = await hosts.start("one")
        lines = [await _publish(one, pool, pictures)]
        lines.append(await _find(hosts, pool, pictures))
        lines.append(await _read(hosts, folder, pool, pictures))
        lines.append(await _known(hosts, folder, pictures))
        return lines
    finally:
        await hosts.close()
        await pool.close()


async def _publish(store: ImageStore, pool: "asyncpg.Pool", pictures: list[Picture]) -> Line:
    async def bare(some: list[Picture]) -> None:
        gate = asyncio.Semaphore(8)

        async def insert(picture: Picture) -> None:
            async with gate:
                await pool.execute(
                    "INSERT INTO bare VALUES ($1, $2, $3, $4)",
                    *(picture.info.sha256, picture.info.md5, picture.info.size, picture.data),
                )

        await asyncio.gather(*map(insert, some))

    tier = store.tier
    assert tier is not None
    ours: list[float] = []
    theirs: list[float] = []
    step = len(pictures) // _ROUNDS
    for start in range(0, step * _ROUNDS, step):
        some = pictures[start : start + step]
        theirs.append(await _timed(lambda some=some: bare(some)))
        hurry, tier.hurry = tier.hurry, lambda: None
        await asyncio.sleep(1.2)  # until it rests
        for picture in some:
            await store.put(picture.reference, picture.info, picture.data, "test")
        tier.hurry = hurry
        ours.append(await _timed(lambda: tier.sent(60)))
    return _line(f"publish {step} images of 100 KB", ours, theirs, 1.3)


async def _find(hosts: Hosts, pool: "asyncpg.Pool", pictures: list[Picture]) -> Line:
    """64 at a time, by every digest, name and place, beside a join by the MD5 alone."""
    store = await hosts.start("finding")
    tier = store.tier
    assert tier is not None
    asked = [replace(each.reference, self_id="3") for each in pictures]

    async def bare(some: list[ImageReference]) -> None:
        await pool.fetch(
            "SELECT b.sha256, b.md5, b.size FROM unnest($1::text[]) AS asked (md5) "
            "JOIN bare b USING (md5)",
            [each.md5 for each in some],
        )

    ours: list[float] = []
    theirs: list[float] = []
    for start in range(0, 64 * _ROUNDS, 64):
        some = asked[start % _COUNT : start % _COUNT + 64]
        theirs.append(await _timed(lambda some=some: bare(some)))
        ours.append(await _timed(lambda some=some: tier.shared.find(some)))
    return _line("find 64 at a time", ours, theirs, 1.3)


async def _read(hosts: Hosts, folder: Path, pool: "asyncpg.Pool", pictures: list[Picture]) -> Line:
    """Bring what another host has put, beside SELECTs and a put of the same."""
    store = await hosts.start("reading")
    alone = ImageStore(folder / "bare", max_size=ROOMY, max_age=1e9)

    async def bare(picture: Picture) -> None:
        (found,) = await pool.fetch("SELECT sha256 FROM bare WHERE md5 = $1", picture.info.md5)
        data = await pool.fetchval("SELECT data FROM bare WHERE sha256 = $1", found[0])
        assert hashlib.sha256(data).hexdigest() == picture.info.sha256
        await alone.put(picture.reference, picture.info, data, "test")

    async def read(picture: Picture) -> None:
        assert await store.find(replace(picture.reference, self_id="4")) is not None

    ours: list[float] = []
    theirs: list[float] = []
    for picture in pictures[:200]:
        theirs.append(await _timed(lambda picture=picture: bare(picture)))
        ours.append(await _timed(lambda picture=picture: read(picture)))
    await alone.close()
    return _line("first read from another host, kept locally", ours, theirs, 1.5)


async def _known(hosts: Hosts, folder: Path, pictures: list[Picture]) -> Line:
    """Images known locally: with the setting, and without."""
    alone = ImageStore(folder / "alone", max_size=ROOMY, max_age=1e9)
    shared = await hosts.start("shared")
    for store in (alone, shared):
        for picture in pictures[:64]:
            await store.put(picture.reference, picture.info, picture.data, "test")

    async def look(store: ImageStore) -> None:
        for _ in range(20):
            for picture in pictures[:64]:
                assert await store.find(picture.reference) is not None

    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(_ROUNDS * 4):
        theirs.append(await _timed(lambda: look(alone)))
        ours.append(await _timed(lambda: look(shared)))
    await alone.close()
    return _line("known locally, with the setting and without", ours, theirs, 1.05)


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun


def _line(what: str, ours: list[float], theirs: list[float], most: float) -> Line:
    mine, bare = statistics.median(ours), statistics.median(theirs)
    ratio = mine / bare
    figures = f"{mine * 1000:.2f} ms, bare {bare * 1000:.2f} ms: {ratio:.2f} × (at most {most:g})"
    return Line(what, figures, ratio <= most)
