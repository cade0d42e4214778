"""Promise 5, too: no clock removes images, and of several bounds the largest in use holds."""

# ruff: noqa: ASYNC240  short looks at small local files

import asyncio
import random
import time
from pathlib import Path
from unittest import mock

from .common import Line, open_store, opened, pictures, put, wrong_or_missing
from .half_writes import child

_PROMISE = "bounded"
_DAY = 24 * 3600.0
_SIZES = (100_000, 400_000, 2_000_000)


async def attack(folder: Path, quick: bool) -> list[Line]:
    return [
        await _jumps(folder / "clock", 20 if quick else 300),
        await _three(folder / "three", 20 if quick else 100),
    ]


async def _jumps(folder: Path, jumps: int) -> Line:
    """The clock is set to anything between each two puts, and the store is opened anew."""
    dice, known, real = random.Random(7), pictures(range(jumps), 500), time.time
    ahead = [0.0]

    def now() -> float:
        return real() + ahead[0]

    with mock.patch.object(time, "time", now):
        store = open_store(folder, max_age=30 * _DAY)
        for number, picture in enumerate(known):
            ahead[0] = dice.choice((0.0, dice.uniform(-50, 50) * 365 * _DAY))
            await put(store, picture)
            await store.upkeep.evict()
            if number % 10 == 9:
                await store.close()
                store = open_store(folder, max_age=30 * _DAY)
        await store.close()
    async with opened(folder) as last:
        lost = await wrong_or_missing(last, known)
    return Line(
        _PROMISE,
        f"the clock set by up to 50 years {jumps} times, with an eviction and a put each",
        f"{lost} of {len(known)} images lost",
        lost == 0,
    )


async def _three(folder: Path, images: int) -> Line:
    """Three processes put their own images at once, each with another bound."""
    ends = [folder / f"end-{size}" for size in _SIZES]
    folder.mkdir()
    processes = [
        await asyncio.to_thread(child, _write, folder, size, number * images, images)
        for number, size in enumerate(_SIZES)
    ]
    while not all(end.exists() for end in ends):
        assert all(process.is_alive() for process in processes)
        await asyncio.sleep(0.05)
    known = pictures(range(3 * images), 10_000)
    async with opened(folder / "store") as store:
        lost, totals = await wrong_or_missing(store, known), await store.totals()
        bounds = await store.catalog.bounds()
    for process in processes:
        process.kill()
        await asyncio.to_thread(process.join)
    within = totals.bytes <= max(_SIZES)
    return Line(
        _PROMISE,
        f"three processes with bounds of {', '.join(f'{size // 1000}' for size in _SIZES)} KB put "
        f"{images} images each, and evict all the time",
        f"{totals.bytes // 1000} KB there, {lost} images lost; {len(bounds)} known to each other",
        lost == 0 and within and totals.bytes > _SIZES[0] and len(bounds) == 3,
    )


def _write(folder: Path, size: int, first: int, images: int) -> None:
    async def run() -> None:
        store = open_store(folder / "store", max_size=size)
        # each is known to the others before anybody has something to lose
        await put(store, pictures([first], 10_000)[0])
        (folder / f"ready-{size}").touch()
        while len(list(folder.glob("ready-*"))) < len(_SIZES):
            await asyncio.sleep(0.01)
        for picture in pictures(range(first, first + images), 10_000):
            await put(store, picture)
            await store.upkeep.evict()
        (folder / f"end-{size}").touch()
        await asyncio.sleep(600)

    asyncio.run(run())
