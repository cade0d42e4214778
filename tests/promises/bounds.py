"""Promise 5: bounded, the least recently used first, and never what is pinned or being read."""

import asyncio
import random
import sys
from collections import OrderedDict
from pathlib import Path

from ..store.inside import change
from ..store.pictures import Picture
from .common import Line, open_store, opened, pictures, put, put_all, wrong_or_missing

_PROMISE = "bounded"
_WRITERS = 8
_LARGEST = 20_000


async def attack(folder: Path, quick: bool) -> list[Line]:
    dice = random.Random(5)
    return [
        await _size(folder / "size", 100 if quick else 4000),
        await _order(folder / "order", dice, 150 if quick else 5000),
        await _pins(folder / "pins", 60 if quick else 2000),
        await _age(folder / "age", 100 if quick else 2000),
        await _readers(folder / "readers", 5 if quick else 300),
    ]


async def _size(folder: Path, images: int) -> Line:
    """Two processes put eight at once; the total is looked at after each put."""
    bound, most = 500_000, 0
    stores = [open_store(folder, bound) for _ in range(2)]
    waiting = iter(pictures(range(images), _LARGEST))

    async def writer(number: int) -> None:
        nonlocal most
        store = stores[number % 2]
        for picture in waiting:
            await put(store, picture)
            most = max(most, (await store.totals()).bytes)

    await asyncio.gather(*(writer(number) for number in range(_WRITERS)))
    await stores[0].upkeep.evict()
    totals = await stores[0].totals()
    for store in stores:
        await store.close()
    files = [path.stat().st_size for path in (folder / "images").rglob("*.*")]
    # a put that is between its row and its eviction step may exceed it by its own image
    return Line(
        _PROMISE,
        f"{images:,} puts, {_WRITERS} at once, into {bound // 1000} KB",
        f"at most {most / bound:.1%} of the bound meanwhile, {totals.bytes / bound:.1%} after; the "
        f"files hold {sum(files):,} bytes and the index says {totals.bytes:,}",
        most <= bound + _WRITERS * (_LARGEST + 300)
        and sum(files) == totals.bytes <= bound
        and len(files) == totals.images,
    )


async def _order(folder: Path, dice: random.Random, acts: int) -> Line:
    """Puts and uses at random, against a model that is exact."""
    bound, wrong, evicted = 100_000, 0, 0
    model: OrderedDict[int, int] = OrderedDict()
    known = dict(enumerate(pictures(range(60), _LARGEST)))
    async with opened(folder, bound) as store:
        for _ in range(acts):
            number = dice.randrange(len(known))
            picture = known[number]
            if number in model and dice.random() < 0.7:
                wrong += await store.find(picture.reference) is None
            else:
                await put(store, picture)
                model[number] = picture.info.size
            model.move_to_end(number)
            while sum(model.values()) > bound:
                model.popitem(last=False)
                evicted += 1
            if dice.random() < 0.2:
                there = {n for n, each in known.items() if store.path(each.info).exists()}
                wrong += there != set(model)
    return Line(
        _PROMISE,
        f"{acts:,} puts and uses at random against an exact list of what was used when",
        f"{evicted:,} evicted, {wrong} differences",
        wrong == 0 and evicted > 0,
    )


async def _pins(folder: Path, images: int) -> Line:
    """Pin some, by two owners, and flood the store; then take the pins back."""
    kept = pictures(range(10), _LARGEST)
    async with opened(folder, 150_000) as store:
        for picture in kept:
            await put(store, picture)
            for owner in ("a", "a", "b"):
                await store.pins.add(picture.info.sha256, owner)
        bad, flood = 0, iter(pictures(range(100, 100 + images), _LARGEST))
        for owner in ("a", "b", "a"):
            for _, picture in zip(range(images // 4), flood, strict=False):
                await put(store, picture)
            bad += await wrong_or_missing(store, kept)
            for picture in kept:
                await store.pins.remove(picture.info.sha256, owner)
        await put_all(store, flood)
        gone = await _gone(folder, kept)
    return Line(
        _PROMISE,
        f"{len(kept)} images pinned three times by two owners, {images:,} others put meanwhile",
        f"{bad} pinned images lost; {gone} of {len(kept)} gone once all pins were taken back",
        bad == 0 and gone == len(kept),
    )


async def _gone(folder: Path, known: list[Picture]) -> int:
    async with opened(folder) as other:  # nothing it remembers helps it
        return sum([await other.find(picture.reference) is None for picture in known])


async def _age(folder: Path, images: int) -> Line:
    """Let most be unused for too long."""
    known = pictures(range(images), 100)
    store = open_store(folder, max_age=3600)
    await put_all(store, known)
    await store.pins.add(known[0].info.sha256, "attack")
    old = [picture.info.sha256 for picture in known[: images * 9 // 10]]
    await change(store, lambda db: db.run_many(_AGE, [(sha256,) for sha256 in old]))
    await store.upkeep.evict()
    totals = await store.totals()
    await store.close()
    expected = images - len(old) + 1
    return Line(
        _PROMISE,
        f"{len(old):,} of {images:,} images were unused for longer than `max_age`, one is pinned",
        f"{totals.images:,} left by one eviction",
        totals.images == expected,
    )


_AGE = "UPDATE images SET used = used - 4000 WHERE sha256 = ?"


async def _readers(folder: Path, images: int) -> Line:
    """Hold files open while they are evicted."""
    bound, torn, read = 100_000, 0, 0
    async with opened(folder, bound) as store:
        for picture in pictures(range(images), _LARGEST):
            await put(store, picture)
            with store.path(picture.info).open("rb") as file:
                start = file.read(10)
                await put_all(store, pictures(range(1000 + read, 1020 + read), _LARGEST), 1)
                torn += start + file.read() != picture.data
                stays = store.path(picture.info).exists()
            read += 20
            torn += stays != (sys.platform == "win32")
    return Line(
        _PROMISE,
        f"{images} files evicted while somebody reads them",
        f"{torn} torn",
        torn == 0,
    )
