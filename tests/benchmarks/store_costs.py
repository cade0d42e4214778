"""The store against the least that could do: plain files to put, and a bare index to look up.

Plain files are written, flushed and renamed, and their folder flushed, with one thread hop each,
every time one is put.
"""

import asyncio
import hashlib
import itertools
import math
import os
import random
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.image_store import ImageStore

from .measure import Cost, compare, seconds, side_by_side, stopwatch
from .table import Result, at_most, within

_PUTS = 10_000
_ROUNDS = 10
_REPEATED = 0.6
_MEDIAN, _SPREAD = 120_000, 1.056
"""Bytes; the 99th percentile is 1.4 MB."""
_MOST = 4_000_000
_AT_ONCE = 8
_KNOWN = 500


@dataclass(frozen=True)
class Stored:
    """Bytes to store, and what is known of them."""

    info: ImageInfo
    reference: ImageReference
    data: bytes


async def measure() -> list[Result]:
    """Rows 7 and 9."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        store = ImageStore(folder / "ours", max_size=1 << 40, max_age=1e9)
        try:
            return [
                await _put(store, folder),
                await _known(store, folder),
            ]
        finally:
            await store.close()


async def _put(store: ImageStore, folder: Path) -> Result:
    durable, hasty = _Files(folder / "durable", True), _Files(folder / "hasty", False)
    workload = _workload()
    batch: list[Stored] = []

    async def ours(picture: Stored) -> None:
        await store.put(picture.reference, picture.info, picture.data, "benchmark")

    def side(put: Callable[[Stored], Awaitable[object]]) -> Callable[[], Awaitable[Cost]]:
        return lambda: _all(put, batch)

    costs: dict[str, list[Cost]] = {"ours": [], "durable": [], "hasty": []}
    for _ in range(_ROUNDS):
        batch[:] = itertools.islice(workload, _PUTS // _ROUNDS)
        sides = {"ours": side(ours), "durable": side(durable.put), "hasty": side(hasty.put)}
        for name, (cost,) in (await side_by_side(sides, 1, warm_up=0)).items():
            costs[name].append(cost)
    each = _ROUNDS / _PUTS * 1e6
    unsafe = compare(seconds(costs["ours"]), seconds(costs["hasty"])) * each
    return at_most(
        7,
        f"store put, {_PUTS:,} pictures, 60 % repeats, {_AT_ONCE} at once",
        "µs",
        "files, each written and flushed, no index",
        compare(seconds(costs["ours"]), seconds(costs["durable"])) * each,
        0.90,
        f"files that are not flushed: {unsafe.reference:.0f} µs",
    )


async def _known(store: ImageStore, folder: Path) -> Result:
    pictures = list(itertools.islice(_workload(repeated=0.0, seed=1), _KNOWN))
    references = [picture.reference for picture in pictures]
    for picture in pictures:
        await store.put(picture.reference, picture.info, picture.data, "benchmark")
    index = sqlite3.connect(folder / "ours" / "index.sqlite3")
    query = "SELECT * FROM images WHERE md5 = ? AND size = ?"

    async def ours() -> Cost:
        with stopwatch() as cost:
            for reference in references:
                store.known(reference)
        return cost

    async def bare() -> Cost:
        keys = [(picture.info.md5, picture.info.size) for picture in pictures]
        with stopwatch() as cost:
            for key in keys:
                index.execute(query, key).fetchone()
        return cost

    try:
        costs = await side_by_side({"ours": ours, "bare": bare}, 5 * _ROUNDS)
    finally:
        index.close()
    assert all(store.known(reference) for reference in references)
    compared = compare(seconds(costs["ours"]), seconds(costs["bare"])) * (1e6 / _KNOWN)
    return within(
        9,
        "“is it known?” on the loop",
        "µs",
        compared.ours,
        10,
        reference=compared.reference,
        against="a bare SELECT",
    )


async def _all(work: Callable[[Stored], Awaitable[object]], pictures: Sequence[Stored]) -> Cost:
    """Do it to all of the pictures, some at once."""
    waiting = iter(pictures)

    async def some() -> None:
        for picture in waiting:
            await work(picture)

    with stopwatch() as cost:
        await asyncio.gather(*(some() for _ in range(_AT_ONCE)))
    return cost


def _workload(*, repeated: float = _REPEATED, seed: int = 0) -> Iterator[Stored]:
    """Pictures as they come in chats, some of them again and again."""
    dice = random.Random(seed)
    noise = dice.randbytes(2 * _MOST)
    seen: list[int] = []
    for number in itertools.count():
        if seen and dice.random() < repeated:
            number = dice.choice(seen)
        seen.append(number)
        size = min(_MOST, int(random.Random(number).lognormvariate(math.log(_MEDIAN), _SPREAD)))
        start = number * 4099 % _MOST
        yield _stored(b"%016d-%d" % (number, seed) + noise[start : start + size], len(seen))


def _stored(data: bytes, message: int) -> Stored:
    sha256 = hashlib.sha256(data).hexdigest()
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    info = ImageInfo(sha256, md5, "image/png", len(data), 1, 1, 1)
    reference = ImageReference(
        self_id="10001", message_id=str(message), file=f"{md5.upper()}.png", size=len(data)
    )
    return Stored(info, reference, data)


class _Files:
    """Files named by the digest of what they hold, one thread hop each.

    Args:
        folder: where; made when missing.
        durable: whether each survives a power cut, as what the store has taken does.
    """

    def __init__(self, folder: Path, durable: bool) -> None:
        self._folder = folder
        self._durable = durable
        self._numbers = itertools.count()
        for shard in range(256):
            (folder / f"{shard:02x}").mkdir(parents=True, exist_ok=True)

    async def put(self, picture: Stored) -> None:
        await anyio.to_thread.run_sync(self._write, picture)

    def _path(self, picture: Stored) -> Path:
        return self._folder / picture.info.sha256[:2] / picture.info.sha256

    def _write(self, picture: Stored) -> None:
        path = self._path(picture)
        temporary = path.with_name(f".{next(self._numbers)}")
        with temporary.open("wb") as file:
            file.write(picture.data)
            if self._durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
        if self._durable:  # the name, too
            folder = os.open(path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
