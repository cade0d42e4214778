"""What a thousand times as many stored pictures cost: the same work on two stores, in turn.

Only the rows are a million: a file is there for those that are put or read.
"""

import asyncio
import contextlib
import hashlib
import itertools
import json
import multiprocessing
import random
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.image_store import ImageStore

from .measure import Comparison, Cost, Side, compare, seconds, side_by_side, stopwatch
from .memory import resident
from .table import Result, at_most, unmeasured, within

_FEW, _MANY = 1000, 1_000_000
_SIZE = 4096
_STEP = 64
"""Pictures that one step of eviction removes."""
_ROUNDS = 11
_LOOKUPS = 300
_PUTS = 100
_FLAT = 1.1
"""How much more memory is no more memory."""


async def measure() -> list[Result]:
    """Row 13."""
    dice, new = random.Random(1), itertools.count(_MANY)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        few, many = Path(name) / "few", Path(name) / "many"
        await fill_rows(few, _FEW)
        await fill_rows(many, _MANY)
        memory = [await asyncio.to_thread(_memory, folder) for folder in (few, many)]
        opened = await _both(lambda: _open(few), lambda: _open(many), 1e3)
        lookup = await _both(
            lambda: _look_up(few, _FEW, dice), lambda: _look_up(many, _MANY, dice), 1e6 / _LOOKUPS
        )
        put = await _both(lambda: _put(few, new), lambda: _put(many, new), 1e6 / _PUTS)
        evicted = await _both(lambda: _evict(few), lambda: _evict(many), 1e3)
    where, against = f", with {_MANY:,} stored", f"with {_FEW:,}"
    results = [
        at_most(13, f"lookup{where}", "µs", against, lookup, 1.3),
        at_most(13, f"put{where}", "µs", against, put, 1.3),
        within(
            13, f"open{where}", "ms", opened.ours, 1000, reference=opened.reference, against=against
        ),
        at_most(13, f"eviction step of {_STEP}{where}", "ms", against, evicted, 1.5),
    ]
    what, (little, much) = f"memory of a process that uses it{where}", memory
    if little is None or much is None:
        why = "this system does not say how much memory a process had"
        return [*results, unmeasured(13, what, f"≤ {_FLAT:.2f} ×", why)]
    return [*results, at_most(13, what, "MB", against, compare([much], [little]), _FLAT)]


async def _both(few: Side, many: Side, scale: float) -> Comparison:
    costs = await side_by_side({"many": many, "few": few}, _ROUNDS)
    return compare(seconds(costs["many"]), seconds(costs["few"])) * scale


async def fill_rows(folder: Path, count: int) -> None:
    """Write rows about pictures that may have been stored, as fast as possible."""
    async with _opened(folder):
        pass
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite3")) as database:
        _write_rows(database, count)


def _write_rows(database: sqlite3.Connection, count: int) -> None:
    for pragma in ("synchronous = OFF", "cache_size = -500000", "temp_store = MEMORY"):
        database.execute(f"PRAGMA {pragma}")
    # made again below, which is faster than keeping them up to date
    extras = database.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql <> ''"
    ).fetchall()
    for kind, name, _ in extras:
        database.execute(f"DROP {kind} {name}")
    dice, now = random.Random(0), time.time()
    infos = sorted((_info(number) for number in range(count)), key=lambda info: info.sha256)
    database.executemany(
        "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                *(info.sha256, info.md5, info.mime, info.size, info.width, info.height),
                *(info.frames, "benchmark", now, now - dice.uniform(0, 86400)),
            )
            for info in infos
        ),
    )
    database.executemany(
        "INSERT INTO sightings (message, bot, position, chat, user, time, sha256, key, reference) "
        "VALUES (?, '10001', 0, ?, ?, ?, ?, '', ?)",
        (
            (
                *(str(number), f"group:{20001 + number % 500}", str(30001 + number % 5000)),
                *(now, info.sha256, json.dumps({"file": f"{info.md5}.png"})),
            )
            for number, info in enumerate(infos)
        ),
    )
    database.execute("UPDATE totals SET images = ?, bytes = ?", (count, count * _SIZE))
    for *_, statement in extras:
        database.execute(statement)
    database.commit()


async def _open(folder: Path) -> Cost:
    with stopwatch() as cost:
        async with _opened(folder):
            pass
    return cost


async def _look_up(folder: Path, count: int, dice: random.Random) -> Cost:
    """Look up pictures that a new process knows nothing of yet."""
    references = [_reference(number) for number in dice.sample(range(count), _LOOKUPS)]
    async with _opened(folder) as store:
        with stopwatch() as cost:
            for reference in references:
                assert await store.find(reference)
    return cost


async def _put(folder: Path, numbers: Iterator[int]) -> Cost:
    pictures = [(_reference(n), _info(n), _data(n)) for n in itertools.islice(numbers, _PUTS)]
    async with _opened(folder) as store:
        with stopwatch() as cost:
            for reference, info, data in pictures:
                await store.put(reference, info, data, "benchmark")
    return cost


async def _evict(folder: Path) -> Cost:
    """One step, in a store that has become too small for as many pictures as a step removes."""
    async with _opened(folder) as store:
        size = (await store.totals()).bytes
    async with _opened(folder, size - _STEP * _SIZE) as store:
        with stopwatch() as cost:
            await store.upkeep.evict()
        assert (await store.totals()).bytes == size - _STEP * _SIZE
    return cost


@contextlib.asynccontextmanager
async def _opened(folder: Path, max_size: int = 1 << 50) -> AsyncIterator[ImageStore]:
    store = ImageStore(folder, max_size=max_size, max_age=1e9)
    try:
        await store.totals()  # the first question opens it
        yield store
    finally:
        await store.close()


def _memory(folder: Path) -> float | None:
    """The most memory, in megabytes, that a process with this store has had."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_use, folder).result()


def _use(folder: Path) -> float | None:
    asyncio.run(_look_up(folder, _FEW, random.Random(2)))
    return resident("self", peak=True)


def _data(number: int) -> bytes:
    return number.to_bytes(8, "big") * (_SIZE // 8)


def _info(number: int) -> ImageInfo:
    """Facts about a picture; the digests are right for those that are put only."""
    data = _data(number) if number >= _MANY else b"%d" % number
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return ImageInfo(hashlib.sha256(data).hexdigest(), md5, "image/png", _SIZE, 1, 1, 1)


def _reference(number: int) -> ImageReference:
    return ImageReference(file=f"{_info(number).md5.upper()}.png", size=_SIZE)
