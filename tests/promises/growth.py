"""Promise 7: the schema moves forward, and a million images cost no more than ten thousand."""

# ruff: noqa: ASYNC240  short looks at small local files

import asyncio
import contextlib
import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.messages.reference import from_uri
from nonebot_plugin_qqimage.store.local.sqlite.database import Database
from nonebot_plugin_qqimage.store.local.sqlite.schema import MIGRATIONS, VERSION

from ..store.pictures import Picture
from .common import Line, open_store, put
from .half_writes import child

_PROMISE = "a million images"
_SIZES = (10_000, 100_000, 1_000_000)
_MAX_OPENING = 1.0
"""Seconds."""
_MAX_MEMORY = 24.0
"""MB that a store may take, however many images it holds."""


async def attack(folder: Path, quick: bool) -> list[Line]:
    sizes = (20_000,) if quick else _SIZES
    lines = [await _size(folder / str(images), images, timed=not quick) for images in sizes]
    return [*lines, await _migration(folder / "old", 2_000 if quick else 100_000)]


async def _size(folder: Path, images: int, *, timed: bool) -> Line:
    """Fill an index of this many images, and use it in a process of its own."""
    started = time.monotonic()
    folder.mkdir()
    index, report = folder / "index.sqlite3", folder / "report.json"
    await _in_a_process(_fill, index, images)
    filling = time.monotonic() - started
    await _in_a_process(_use, folder, images, report)
    found = json.loads(report.read_text())
    size = index.stat().st_size
    return Line(
        _PROMISE,
        f"{images:,} images ({size / images:.0f} bytes each in the index, filled in "
        f"{filling:.0f} s)",
        f"opened, and the first one found, in {found['opening'] * 1000:.0f} ms; then a look-up "
        f"{found['find'] * 1e6:.0f} µs, a put {found['put'] * 1e3:.1f} ms; "
        f"{found['memory']:.1f} MB of memory for all of it (at most {_MAX_MEMORY:g})",
        found["all_found"]
        and found["memory"] <= _MAX_MEMORY
        and (found["opening"] < _MAX_OPENING or not timed),
    )


async def _in_a_process(work: Callable[..., None], *args: object) -> None:
    process = child(work, *args)
    await asyncio.to_thread(process.join)
    assert process.exitcode == 0, f"{work.__name__} failed"


def _rows(images: int) -> Iterator[tuple[object, ...]]:
    for number in range(images):
        name = b"%d" % number
        sha256, md5 = hashlib.sha256(name).hexdigest(), hashlib.md5(name).hexdigest()
        yield sha256, md5, "image/png", 100_000, 13, 7, 1, "test", 1.7e9 + number, 1.7e9 + number


def _fill(path: Path, images: int) -> None:
    database = Database(path)
    writer = database._writer  # pyright: ignore[reportPrivateUsage]
    writer.run("PRAGMA synchronous = OFF")
    writer.run("PRAGMA cache_size = -500000")
    with database.transaction() as db:
        columns = ", ".join("?" * 10)
        db.run_many(f"INSERT INTO images VALUES ({columns})", sorted(_rows(images)))
    database.close()


def _use(folder: Path, images: int, report: Path) -> None:
    report.write_text(json.dumps(asyncio.run(_measure(folder, images))))


async def _measure(folder: Path, images: int) -> dict[str, object]:
    """Open it, look for a thousand images, put a few, check and evict."""
    before = _memory()
    started = time.perf_counter()
    store = open_store(folder)
    every = max(1, images // 1000)
    wanted = [
        from_uri("qqimage:" + hashlib.sha256(b"%d" % number).hexdigest())
        for number in range(0, images, every)
    ]
    all_found = await store.find(wanted[0]) is not None
    opening = time.perf_counter() - started
    started = time.perf_counter()
    for reference in wanted[1:]:
        all_found &= await store.find(reference) is not None
    find = (time.perf_counter() - started) / len(wanted[1:])
    some = [Picture(number) for number in range(100)]
    started = time.perf_counter()
    for picture in some:
        await put(store, picture)
    taken = (time.perf_counter() - started) / len(some)
    await store.upkeep.steps()
    await store.totals()
    await store.upkeep.evict()
    memory = _memory() - before
    await store.close()
    return {
        "opening": opening,
        "find": find,
        "put": taken,
        "memory": memory / 1e6,
        "all_found": all_found,
    }


def _memory() -> int:
    """Bytes of memory this process holds; 0 where nobody says."""
    with contextlib.suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * 4096
    return 0


async def _migration(folder: Path, images: int) -> Line:
    """Open a file of the first version, and one of a version to come."""
    folder.mkdir()
    path = folder / "index.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as old:
        old.executescript(MIGRATIONS[0])
        columns = ", ".join("?" * 10)
        old.executemany(f"INSERT INTO images VALUES ({columns})", _rows(images))
        old.execute("PRAGMA user_version = 1")
        old.commit()
    store = open_store(folder)
    started = time.perf_counter()
    kept = (await store.totals()).images
    taken = time.perf_counter() - started
    await store.close()
    with contextlib.closing(sqlite3.connect(path)) as newer:
        (at,) = newer.execute("PRAGMA user_version").fetchone()
        newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    store, refused = open_store(folder), ""
    try:
        await store.totals()
    except StoreError as error:
        refused = str(error)
    await store.close()
    untouched = path.read_bytes() == before
    return Line(
        "the schema",
        f"a file of version 1 with {images:,} images is opened, then one of version {VERSION + 1}",
        f"{kept:,} images in version {at} after {taken * 1000:.0f} ms; the newer one is refused in "
        f"words and {'left as it was' if untouched else 'changed'}",
        kept == images and at == VERSION and "update the plugin" in refused and untouched,
    )
