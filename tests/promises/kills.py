"""Promise 3: nothing acknowledged is lost, however often the writer is killed."""

# ruff: noqa: ASYNC240  short looks at small local files

import asyncio
import contextlib
import os
import random
import sqlite3
import struct
from collections import Counter
from itertools import count
from pathlib import Path

from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..store.pictures import Picture
from .common import Line, check_all, open_store, opened, pictures, put, put_all, wrong_or_missing
from .half_writes import child

_PROMISE = "nothing acknowledged is lost"
_NUMBER = struct.Struct("<q")
_A_ROUND = 1_000_000
_EVERY = 25
"""Rounds after which everything is verified, and not only what came last."""


async def attack(folder: Path, quick: bool) -> list[Line]:
    rounds, filled = (10, 200) if quick else (200, 5000)
    dice = random.Random(9)
    store = folder / "store"
    async with opened(store) as filling:
        await put_all(filling, pictures(range(filled)), 8)
    acknowledged = list(range(filled))
    bad = unreadable = 0
    for number in range(1, rounds + 1):
        fresh = await _kill_a_writer(store, folder / "acknowledged", number * _A_ROUND, dice)
        acknowledged += fresh
        unreadable += await asyncio.to_thread(_unreadable, store / "index.sqlite3")
        everything = number % _EVERY == 0 or number == rounds
        bad += await _bad(store, acknowledged if everything else fresh)
    async with opened(store) as last:
        found = Counter(finding.trouble for finding in await check_all(last, deep=True))
    return [
        Line(
            _PROMISE,
            f"{rounds} times `kill -9` at a random moment of four concurrent puts, in a store of "
            f"{filled:,} images",
            f"{len(acknowledged) - filled:,} more acknowledged, {bad} missing or damaged, "
            f"{unreadable} unreadable databases; left to sweep: {found['leftover']} temporary "
            f"files, {found['unindexed']} images without a row",
            not (bad or unreadable or found["damaged"] or found["missing"])
            and len(acknowledged) > filled + rounds,
        )
    ]


async def _kill_a_writer(folder: Path, journal: Path, first: int, dice: random.Random) -> list[int]:
    """Which images a writer acknowledged before it was killed."""
    journal.unlink(missing_ok=True)
    process = child(_write, folder, journal, first)
    if dice.random() < 0.8:  # the others are killed while they start
        while not journal.exists() and process.is_alive():
            await asyncio.sleep(0.002)
    await asyncio.sleep(dice.uniform(0, 0.25))
    process.kill()
    await asyncio.to_thread(process.join)
    data = journal.read_bytes() if journal.exists() else b""
    whole = len(data) - len(data) % _NUMBER.size
    return [number for (number,) in _NUMBER.iter_unpack(data[:whole])]


def _write(folder: Path, journal: Path, first: int) -> None:
    async def writer(store: ImageStore, numbers: "count[int]", file: int) -> None:
        for number in numbers:
            await put(store, _picture(number))
            os.write(file, _NUMBER.pack(number))

    async def run() -> None:
        store, numbers = open_store(folder), count(first)
        file = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        await asyncio.gather(*(writer(store, numbers, file) for _ in range(4)))

    asyncio.run(run())


def _picture(number: int) -> Picture:
    if number < _A_ROUND:
        return pictures([number])[0]
    # the number is in the height, so that no two are alike
    return Picture(number % _A_ROUND, 1 + (number // _A_ROUND) * 37 % 4096)


def _unreadable(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        with contextlib.closing(sqlite3.connect(path)) as database:
            return database.execute("PRAGMA integrity_check").fetchone() != ("ok",)
    except sqlite3.Error:
        return True


async def _bad(folder: Path, numbers: list[int]) -> int:
    async with opened(folder) as store:
        return await wrong_or_missing(store, map(_picture, numbers))
