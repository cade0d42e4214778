"""What it costs to find a picture among very many: ``uv run python -m tests.looks.speed``.

A store with the hashes of a million pictures that do not exist is made, three each as for stickers;
then one is looked for, with numpy and without, while a loop measures how late it is.
"""

import argparse
import asyncio
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nonebot_plugin_qqimage.bot.services import make_services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.content.looks import numbers
from nonebot_plugin_qqimage.content.looks.decoding import SMALL
from nonebot_plugin_qqimage.content.looks.look import BITS, VERSION
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.image_store import ImageStore

from .__main__ import MAKERS, look
from .changing import encoded
from .making import photo, sticker

_TICK = 0.002
"""Seconds that the loop sleeps at a time, to see how late it wakes."""

_TABLES = """
CREATE TEMP TABLE known (id INTEGER PRIMARY KEY, bits BLOB);
CREATE TEMP TABLE parts (id INTEGER PRIMARY KEY, part TEXT);
INSERT INTO parts (part) VALUES ('whole'), ('middle'), ('content');
"""
_NUMBERS = "WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n LIMIT ?) "
_IMAGES = f"""
INSERT INTO images {_NUMBERS}
SELECT printf('%064x', n), '', 'image/png', 1, 1, 1, 1, '', 0, 0 FROM n
"""
_HASHES = f"""
INSERT INTO looks (sha256, version, part, hash) {_NUMBERS}
SELECT printf('%064x', n), ?, part, substr(bits, 1 + abs(random() % 32), 32)
FROM n CROSS JOIN parts CROSS JOIN known ON known.id = (n * 7919 + parts.id * 1291) % 4096
WHERE part <> 'content' OR n % 3 = 0
"""


class Speed(NamedTuple):
    """What one way of searching takes."""

    first: float
    """Seconds of the first search, which reads all hashes."""
    searches: dict[int, list[float]]
    """Seconds of each search, by how many hashes the picture has."""
    late: list[float]
    """Seconds by which the loop was late meanwhile, each time that it was measured."""
    late_at_first: list[float]
    """The same during the first search."""


def _known(count: int) -> Iterator[tuple[int, bytes]]:
    """Some hashes, half of whose bits are set, each twice: turning one by bytes makes others."""
    rng = random.Random(1)
    bits = ["1", "0"] * (BITS // 2)
    for number in range(count):
        rng.shuffle(bits)
        yield number, int("".join(bits), 2).to_bytes(BITS // 8, "big") * 2


async def fill(folder: Path, count: int) -> list[str]:
    """Make a store with two pictures, and the hashes of many that do not exist.

    Returns:
        The URIs of the two, which have two and three hashes.
    """
    store = ImageStore(folder, max_size=1 << 40, max_age=1e9)
    uris: list[str] = []
    for data in (encoded(photo(0)), encoded(sticker(0))):
        info = inspect(data, max_size=1 << 30, max_pixels=1 << 30)
        await store.put(ImageReference(sha256=info.sha256), info, data, "test")
        await store.looks.make(info)
        uris.append(info.uri)
    await store.close()
    index = sqlite3.connect(folder / "index.sqlite3")
    index.execute("PRAGMA journal_mode = OFF")
    index.executescript(_TABLES)
    with index:
        index.executemany("INSERT INTO known VALUES (?, ?)", _known(4096))
        index.execute(_IMAGES, (count,))
        index.execute(_HASHES, (count, VERSION))
    index.close()
    return uris


async def search(folder: Path, uris: list[str], times: int = 20) -> Speed:
    """Look for what is like some pictures, again and again, while the loop is watched."""
    services = make_services(ScopedConfig(), folder, dict)
    late: list[float] = []

    async def watch() -> None:
        while True:
            due = time.perf_counter() + _TICK
            await asyncio.sleep(_TICK)
            late.append(time.perf_counter() - due)

    async def find(uri: str) -> float:
        started = time.perf_counter()
        await services.resolver.similar(uri, chat="all")
        return time.perf_counter() - started

    watching = asyncio.create_task(watch())
    first = await find(uris[0])
    late_at_first, late[:] = [*late], []
    searches: dict[int, list[float]] = {}
    for uri in uris:
        looks = await services.store.looks.of(uri.removeprefix("qqimage:"))
        searches[len(looks or ())] = [await find(uri) for _ in range(times)]
    watching.cancel()
    await services.pipeline.close()
    return Speed(first, searches, late, late_at_first)


def late_by(late: list[float]) -> float:
    """Milliseconds by which the loop was late at most, in 99 % of the cases."""
    return sorted(late)[int(len(late) * 0.99)] * 1000


def _print(speed: Speed) -> None:
    for hashes, took in speed.searches.items():
        median, least = statistics.median(took) * 1000, min(took) * 1000
        print(f"  {hashes} hashes: median {median:.0f} ms, least {least:.0f} ms")
    print(f"  the loop was late by {late_by(speed.late):.1f} ms (99 %)")
    print(f"  the first search took {speed.first:.1f} s,")
    print(f"  and the loop was late by {late_by(speed.late_at_first):.1f} ms (99 %) meanwhile")


def _hashing() -> None:
    for kind, (make, _) in MAKERS.items():
        data = [encoded(make(number)) for number in range(10)]
        cpu = time.process_time()
        for each in data:
            look(each, (SMALL,))
        print(f"  {kind}: {(time.process_time() - cpu) / len(data) * 1000:.1f} ms of CPU each")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1_000_000)
    count = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as folder:
        uris = asyncio.run(fill(Path(folder), count))
        for name in ("with numpy", "without numpy"):
            if name == "without numpy":
                numbers.disabled = True
            print(name)
            _hashing()
            _print(asyncio.run(search(Path(folder), uris)))


if __name__ == "__main__":
    main()
