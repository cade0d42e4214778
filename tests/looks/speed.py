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

from nonebot_plugin_qqimage.content.looks import numbers
from nonebot_plugin_qqimage.content.looks.look import BITS, VERSION, Look
from nonebot_plugin_qqimage.store.image_store import ImageStore

from .__main__ import MAKERS, look
from .changing import encoded

_TICK = 0.002
"""Seconds that the loop sleeps at a time, to see how late it wakes."""


def some_hash(rng: random.Random) -> int:
    """A hash, half of whose bits are set."""
    return sum(1 << place for place in rng.sample(range(BITS), BITS // 2))


def _rows(count: int, known: list[int]) -> Iterator[tuple[str, int, str, bytes]]:
    rng = random.Random(1)
    for number in range(count):
        sha256 = f"{number:064x}"
        parts = ("whole", "middle") if number % 3 else ("whole", "middle", "content")
        for part in parts:
            # turning a hash makes another one, at a fraction of the cost
            turn = rng.randrange(BITS)
            bits = rng.choice(known)
            bits = (bits << turn | bits >> BITS - turn) & ((1 << BITS) - 1)
            yield sha256, VERSION, part, bits.to_bytes(BITS // 8, "big")


async def _made(folder: Path, count: int) -> None:
    store = ImageStore(folder, max_size=1 << 40, max_age=1e9)
    await store.totals()
    await store.close()
    rng = random.Random(2)
    known = [some_hash(rng) for _ in range(5000)]
    index = sqlite3.connect(folder / "index.sqlite3")
    with index:
        index.executemany(
            "INSERT INTO images VALUES (?, '', 'image/png', 1, 1, 1, 1, '', 0, 0)",
            ((f"{number:064x}",) for number in range(count)),
        )
        index.executemany(
            "INSERT INTO looks (sha256, version, part, hash) VALUES (?, ?, ?, ?)",
            _rows(count, known),
        )
    index.close()


async def _measure(folder: Path, count: int) -> None:
    store = ImageStore(folder, max_size=1 << 40, max_age=1e9)
    rng = random.Random(3)
    wanted = [Look("whole", some_hash(rng)), Look("middle", some_hash(rng))]
    late: list[float] = []

    async def watch() -> None:
        while True:
            due = time.perf_counter() + _TICK
            await asyncio.sleep(_TICK)
            late.append(time.perf_counter() - due)

    watching = asyncio.create_task(watch())
    started, cpu = time.perf_counter(), time.process_time()
    await store.looks.near(wanted)
    first = f"{time.perf_counter() - started:.1f} s (CPU {time.process_time() - cpu:.1f} s)"
    loading, late[:] = _p99(late), []
    took: list[float] = []
    spent: list[float] = []
    for parts in (wanted, [*wanted, Look("content", some_hash(rng))]):
        took, spent = [], []
        for _ in range(20):
            started, cpu = time.perf_counter(), time.process_time()
            await store.looks.near(parts)
            took.append((time.perf_counter() - started) * 1000)
            spent.append((time.process_time() - cpu) * 1000)
        print(
            f"  {len(parts)} hashes among {count} pictures: "
            f"median {statistics.median(took):.0f} ms, least {min(took):.0f} ms, "
            f"CPU {statistics.median(spent):.0f} ms"
        )
    print(f"  the loop was late by {_p99(late):.1f} ms (99 %), the first search took {first},")
    print(f"  and the loop was late by {loading:.1f} ms (99 %) meanwhile")
    watching.cancel()
    await store.close()


def _p99(late: list[float]) -> float:
    return sorted(late)[int(len(late) * 0.99)] * 1000 if late else 0.0


def _hashing() -> None:
    for kind, (make, _) in MAKERS.items():
        data = [encoded(make(number)) for number in range(10)]
        cpu = time.process_time()
        for each in data:
            look(each)
        print(f"  {kind}: {(time.process_time() - cpu) / len(data) * 1000:.1f} ms of CPU each")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1_000_000)
    count = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_made(Path(folder), count))
        for name in ("with numpy", "without numpy"):
            if name == "without numpy":
                numbers.disabled = True
            print(name)
            _hashing()
            asyncio.run(_measure(Path(folder), count))


if __name__ == "__main__":
    main()
