"""Promise 2: never half a write, at whichever step the process dies."""

import asyncio
import multiprocessing
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from nonebot_plugin_qqimage.bot.background.upkeep import upkeep as upkeep_task
from nonebot_plugin_qqimage.store.local import images as images_table
from nonebot_plugin_qqimage.store.local.sqlite.database import Connection

from ..store.inside import change
from .common import (
    Line,
    check_all,
    each,
    open_store,
    opened,
    pictures,
    put,
    put_all,
    resolving,
    world_of,
    wrong_or_missing,
)

_PROMISE = "never half a write"
_SAFE = 10
_STEPS = (
    "half the bytes are written",
    "the bytes are written",
    "the file has its name",
    "the folder is written",
    "the row is added",
    "the evicted files are gone",
    "the evicted rows are removed",
)
"""Where the writer dies: right after each of these."""


async def attack(folder: Path, quick: bool) -> list[Line]:
    return [
        await _die_at_each_step(folder, 1 if quick else 6),
        await _start(folder / "start", 300 if quick else 4_000),
    ]


async def _die_at_each_step(folder: Path, rounds: int) -> Line:
    found: Counter[str] = Counter()
    wrong = 0

    async def die(place: tuple[int, str]) -> None:
        nonlocal wrong
        where = folder / f"{place[0]}-{_STEPS.index(place[1])}"
        process = child(_write_and_die, where, place[1], place[0])
        await asyncio.to_thread(process.join)
        wrong += process.exitcode in (0, 1)  # it lived on, or failed before
        safe = pictures(range(_SAFE))
        async with opened(where) as store:
            found.update(f.trouble for f in await check_all(store, deep=True, repair=True))
            wrong += len(await check_all(store, deep=True))
            if not place[1].startswith("the evicted"):
                wrong += await wrong_or_missing(store, safe)
            await put_all(store, pictures(range(_SAFE + 4)))
            wrong += await wrong_or_missing(store, pictures(range(_SAFE + 4)))
            wrong += len(await check_all(store, deep=True))

    await each([(number, step) for number in range(rounds) for step in _STEPS], die, 2)
    what = ", ".join(f"{count} {trouble}" for trouble, count in sorted(found.items()))
    return Line(
        _PROMISE,
        f"a writer dies at each of {len(_STEPS)} steps of a put and of an eviction, "
        f"{rounds * len(_STEPS)} times",
        f"{wrong} images half there or lost; the next check put in order: {what}",
        wrong == 0 and found["leftover"] > 0 and found["unindexed"] > 0 and not found["damaged"],
    )


async def _start(folder: Path, images: int) -> Line:
    """Start on a store that a killed writer left; what comes first must not wait for the check."""
    async with opened(folder) as store:
        few = pictures(range(20 if images < 1000 else 300))
        await put_all(store, few)
        await change(store, lambda db: _add_rows(db, images))
    leftovers = [
        shard / f".new-{number}" for number, shard in enumerate((folder / "images").iterdir())
    ]
    for leftover in leftovers:
        leftover.write_bytes(b"half")
        os.utime(leftover, (1, 1))
    world = world_of(few)
    loop = asyncio.get_running_loop()
    async with resolving(folder, world) as services:
        upkeep = upkeep_task(services.store)
        started = loop.time()
        upkeep.start(services.pipeline.store_trouble.log)
        for picture in pictures(range(1000, 1010)):
            await put(services.store, picture)
        first = loop.time() - started
        waiting = sum(leftover.exists() for leftover in leftovers)
        while any(leftover.exists() for leftover in leftovers):
            await asyncio.sleep(0.02)
        swept = loop.time() - started
        await upkeep.stop()
    return Line(
        _PROMISE,
        f"start-up on {images:,} rows without a file and {len(leftovers)} temporary files",
        f"ten puts took {first * 1000:.0f} ms while {waiting} temporary files were still there; "
        f"all was in order after {swept:.1f} s",
        waiting > 0,
    )


def _add_rows(db: Connection, rows: int) -> None:
    for picture in pictures(range(10_000, 10_000 + rows), 1):
        images_table.add(db, picture.info, "", "test")


def child(work: Callable[..., None], *args: Any) -> BaseProcess:
    """Start a function of ours in another process, quickly where the platform can."""
    if sys.platform == "win32":
        context = multiprocessing.get_context("spawn")
    else:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.promises.children"])
    process = context.Process(target=work, args=args, daemon=True)
    process.start()
    return process


def _write_and_die(folder: Path, step: str, number: int) -> None:
    async def run() -> None:
        store = open_store(folder)
        await put_all(store, pictures(range(_SAFE)))
        if step.startswith("the evicted"):
            await store.close()
            store = open_store(folder, max_size=50_000)
        _arm(step)
        await put(store, pictures([_SAFE + number % 4])[0])

    asyncio.run(run())


def _arm(step: str) -> None:
    """Let this process die right after the step."""
    if step == _STEPS[0]:
        real_fsync = os.fsync

        def fsync(file: int) -> None:
            os.ftruncate(file, os.fstat(file).st_size // 2)
            real_fsync(file)
            _die()

        os.fsync = fsync
    elif step == _STEPS[1]:
        os.link = _die
    elif step == _STEPS[2]:
        os.unlink = _die
    elif step == _STEPS[3]:
        images_table.add = _die  # pyright: ignore[reportAttributeAccessIssue]
    elif step == _STEPS[4]:
        _die_after("add")
    elif step == _STEPS[5]:
        images_table.remove = _die  # pyright: ignore[reportAttributeAccessIssue]
    else:
        _die_after("remove")


def _die_after(name: str) -> None:
    real = getattr(images_table, name)

    def last(*args: object) -> None:
        real(*args)
        _die()

    setattr(images_table, name, last)


def _die(*args: object, **options: object) -> None:
    if sys.platform == "win32":
        os._exit(9)
    os.kill(os.getpid(), signal.SIGKILL)
