"""What the shared store costs beside bare asyncpg, in one run on one machine.

The bare side does what a program would do by hand: a table of SHA-256 (the primary key), MD5 (with
an index), size and bytes (not compressed), and asyncpg's own pool with its default of 10
connections, all of which are open before. Both sides write and read the same images of 100 KB.
"""

import asyncio
import hashlib
import statistics
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.fetch.fetcher import Fetcher
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..benchmarks.measure import compare
from ..store.pictures import Picture
from .hosts import ROOMY, Hosts
from .line import Line
from .server import Server

_SIZE = 100_000
_PUBLISHED = 100
"""Images published at a time."""
_ASKED = 64
"""Images looked for at a time."""
_ROUNDS = 15
_WARM_UP = 2
"""Rounds before, which do not count: statements are planned anew at first."""
_READ = 150


@dataclass
class Pair:
    """What something took on both sides, round by round, in seconds."""

    what: str
    against: str
    """What the bare side does."""
    most: float
    """How many times as long as that side ours may take."""
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    note: str = ""
    """What else there is to say."""

    async def measure(self, theirs: Awaitable[object], ours: Awaitable[object]) -> None:
        """Measure one round."""
        self.theirs.append(await _timed(theirs))
        self.ours.append(await _timed(ours))

    def line(self) -> Line:
        compared = compare(self.ours, self.theirs) * 1000
        figures = (
            f"{compared.ours:.2f} ms, {self.against} {compared.reference:.2f} ms: "
            f"{compared.ratio:.2f} × (at most {self.most:g})"
        )
        figures += f"; {self.note}" * bool(self.note)
        return Line(self.what, figures, compared.ratio <= self.most)


async def speed(folder: Path, server: Server) -> list[Line]:
    return [pair.line() for pair in await pairs(folder, server)]


async def pairs(folder: Path, server: Server) -> list[Pair]:
    """Compare, round by round, so that both have the same machine."""
    url = server.database()
    hosts = Hosts(folder, url)
    pool = await asyncpg.create_pool(url)
    await pool.execute(
        "CREATE TABLE bare (sha256 text PRIMARY KEY, md5 text, size bigint, data bytea);"
        "ALTER TABLE bare ALTER COLUMN data SET STORAGE EXTERNAL; CREATE INDEX ON bare (md5)"
    )
    count = _PUBLISHED * (_ROUNDS + _WARM_UP)
    pictures = [Picture(number, filler=_SIZE) for number in range(count)]
    try:
        published = await _publish(await hosts.start("one"), pool, pictures)
        found = await _find(await hosts.start("finding"), pool, pictures)
        read = await _read(await hosts.start("reading"), pool, pictures)
        kept = await _keep(await hosts.start("keeping"), folder / "bare", pool, pictures)
        known = await _known(await hosts.start("shared"), folder / "alone", pictures)
        return [published, found, read, kept, known]
    finally:
        await hosts.close()
        await pool.close()


async def _publish(store: ImageStore, pool: "asyncpg.Pool", pictures: list[Picture]) -> Pair:
    """From the files and the outbox to the database, beside INSERTs of what is in memory."""

    async def bare(some: list[Picture]) -> None:
        statement = "INSERT INTO bare VALUES ($1, $2, $3, $4)"
        await asyncio.gather(
            *(
                pool.execute(statement, each.info.sha256, each.info.md5, each.info.size, each.data)
                for each in some
            )
        )

    tier = store.tier
    assert tier is not None
    what = f"publish {_PUBLISHED} images of 100 KB, verified"
    pair = Pair(what, "an INSERT each on 10 connections", 1.3)
    hurry = tier.hurry
    for start in range(0, len(pictures), _PUBLISHED):
        some = pictures[start : start + _PUBLISHED]
        tier.hurry = lambda: None
        await asyncio.sleep(1.2)  # until it rests
        for picture in some:
            await store.put(picture.reference, picture.info, picture.data, "test")
        tier.hurry = hurry
        await pair.measure(bare(some), tier.sent(60))
    return _warmed(pair)


async def _find(store: ImageStore, pool: "asyncpg.Pool", pictures: list[Picture]) -> Pair:
    """By every digest, name and place, beside a join by the MD5 alone."""
    tier = store.tier
    assert tier is not None

    async def bare(some: list[ImageReference]) -> None:
        rows = await pool.fetch(
            "SELECT b.sha256, b.md5, b.size FROM unnest($1::text[]) AS asked (md5) "
            "JOIN bare b USING (md5)",
            [each.md5 for each in some],
        )
        assert len(rows) == _ASKED

    async def ours(some: list[ImageReference]) -> None:
        assert all(await tier.shared.find(some))

    pair = Pair(f"find {_ASKED} at a time", "a join by the MD5 alone", 1.3)
    for number in range(8 * (_ROUNDS + _WARM_UP)):
        start = number * _ASKED % (len(pictures) - _ASKED)
        some = [_elsewhere(each, f"{number}") for each in pictures[start : start + _ASKED]]
        # looked up in memory first, as all are; that works out what they claim
        assert not any(store.known(each) for each in some)
        await pair.measure(bare(some), ours(some))
    return _warmed(pair, 8)


async def _read(store: ImageStore, pool: "asyncpg.Pool", pictures: list[Picture]) -> Pair:
    """The bytes as a plugin gets them: asked for in memory, in the local store and then here.

    Ours works out MD5, SHA-1, type and frames of what has come, too, for those are promised.
    """
    config = ScopedConfig()
    services = Services.of(config, store, Fetcher(config), dict)

    async def two(picture: Picture) -> None:
        _judge(picture, await _select(pool, picture))

    async def one(picture: Picture) -> None:
        statement = "SELECT sha256, data FROM bare WHERE md5 = $1"
        (found,) = await pool.fetch(statement, picture.info.md5)
        _judge(picture, found[1])

    what = "first read from another host, until its bytes are there"
    pair = Pair(what, "SELECTs of its SHA-256 and of its bytes, judged by that", 1.5)
    single: list[float] = []
    for picture, other in zip(pictures[:_READ], reversed(pictures), strict=False):
        image = services.resolver.image(_elsewhere(picture, "read"))
        await _rest(store)
        pair.theirs.append(await _timed(two(picture)))
        await _rest(store)
        single.append(await _timed(one(other)))
        await _rest(store)
        pair.ours.append(await _timed(image.read()))
        await image.path()  # once it is kept
    pair.note = f"one SELECT of both {statistics.median(single) * 1000:.2f} ms"
    return _warmed(pair)


async def _keep(
    store: ImageStore, folder: Path, pool: "asyncpg.Pool", pictures: list[Picture]
) -> Pair:
    """Until the file is there and flushed, beside a put into a local store of the same kind."""
    alone = ImageStore(folder, max_size=ROOMY, max_age=1e9)

    async def bare(picture: Picture) -> None:
        data = await _select(pool, picture)
        _judge(picture, data)
        await alone.put(picture.reference, picture.info, data, "test")

    async def ours(picture: Picture) -> None:
        assert await store.find(_elsewhere(picture, "keep")) is not None

    pair = Pair("the same, until it is kept locally", "the same and a local put", 1.5)
    for picture in pictures[:_READ]:
        await _rest(store)
        await pair.measure(bare(picture), ours(picture))
    await alone.close()
    return _warmed(pair)


async def _known(store: ImageStore, folder: Path, pictures: list[Picture]) -> Pair:
    """Images known locally: with the setting, and without."""
    alone = ImageStore(folder, max_size=ROOMY, max_age=1e9)
    for each in (alone, store):
        for picture in pictures[:_ASKED]:
            await each.put(picture.reference, picture.info, picture.data, "test")

    async def look(store: ImageStore) -> None:
        for _ in range(20):
            for picture in pictures[:_ASKED]:
                assert await store.find(picture.reference) is not None

    pair = Pair(f"{20 * _ASKED} look-ups of what is known locally", "without the setting", 1.05)
    for _ in range(4 * (_ROUNDS + _WARM_UP)):
        await pair.measure(look(alone), look(store))
    await alone.close()
    return _warmed(pair, 4)


async def _select(pool: "asyncpg.Pool", picture: Picture) -> bytes:
    (found,) = await pool.fetch("SELECT sha256 FROM bare WHERE md5 = $1", picture.info.md5)
    return await pool.fetchval("SELECT data FROM bare WHERE sha256 = $1", found[0])


def _judge(picture: Picture, data: bytes) -> None:
    assert hashlib.sha256(data).hexdigest() == picture.info.sha256


def _elsewhere(picture: Picture, message: str) -> ImageReference:
    """A reference to the same picture, as another bot receives it."""
    return replace(picture.reference, self_id="2", message_id=message, chat="group:1")


async def _rest(store: ImageStore) -> None:
    """Wait until nothing goes on in the background that would disturb either side."""
    await store.sightings(limit=1)
    assert store.tier is not None
    await store.tier.sent(60)


async def _timed(work: Awaitable[object]) -> float:
    begun = time.perf_counter()
    await work
    return time.perf_counter() - begun


def _warmed(pair: Pair, times: int = 1) -> Pair:
    """Without the rounds that do not count."""
    del pair.ours[: times * _WARM_UP], pair.theirs[: times * _WARM_UP]
    return pair
