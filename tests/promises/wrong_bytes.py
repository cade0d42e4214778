"""Promise 1: never wrong bytes, whatever happens to files and index behind the store's back."""

import asyncio
import contextlib
import os
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.messages.reference import from_uri
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..store.pictures import Picture
from .common import (
    Line,
    check_all,
    each,
    link,
    logged,
    open_store,
    opened,
    pictures,
    put,
    put_all,
    resolving,
    world_of,
    wrong_or_missing,
)

_PROMISE = "never wrong bytes"
_MAX_QUARANTINE = 100
_SIZES = (10_000, 120_000, 1_000_000)


async def attack(folder: Path, quick: bool) -> list[Line]:
    dice = random.Random(4)
    return [
        await _damage_files(folder / "files", dice, *((60, 240) if quick else (1000, 6000))),
        await _fetch_again(folder / "again", dice, 30 if quick else 600),
        await _damage_index(folder / "index", dice, 4 if quick else 40),
        await _cost(folder / "cost", 20 if quick else 400),
    ]


async def _damage_files(folder: Path, dice: random.Random, images: int, rounds: int) -> Line:
    """Damage files at random; half of them are read then, half are put again first."""
    known = pictures(range(images))
    wrong = unrepaired = reads = 0
    did: Counter[str] = Counter()
    async with opened(folder) as store:
        await put_all(store, known)
        with logged("WARNING") as lines:
            for _ in range(rounds):
                picture, damage = dice.choice(known), dice.choice(_DAMAGES)
                damage(store.path(picture.info), dice.choice(known), dice)
                did[damage.__name__] += 1
                if dice.random() < 0.5:
                    reads += 1
                    data = await _read(store, picture)
                    wrong += data is not None
                    with contextlib.suppress(OSError):
                        store.path(picture.info).rmdir()
                    await put(store, picture)
                else:
                    with contextlib.suppress(OSError):
                        store.path(picture.info).rmdir()
                    await put(store, picture)
                unrepaired += await _read(store, picture) != picture.data
        counted = await store.catalog.counters("store")
        kept = len(list((folder / "quarantine").iterdir()))
        rest = await check_all(store, deep=True)
    # a folder in a file's place is an error in words, and no image that is damaged
    quiet = sum(counted.values()) == len(lines) <= reads
    return Line(
        _PROMISE,
        f"{rounds:,} damages of {len(did)} kinds to {images:,} images: flipped, cut, extended, "
        "emptied, replaced by another, with its times restored, removed, a folder in the place",
        f"{wrong} wrong bytes, {unrepaired} not repaired by the next put, {len(lines):,} warnings "
        f"for {sum(counted.values()):,} counted, {kept} kept in quarantine",
        not (wrong or unrepaired or rest) and quiet and 0 < kept <= _MAX_QUARANTINE,
    )


async def _read(store: ImageStore, picture: Picture) -> bytes | None:
    try:
        return await store.read(picture.info)
    except StoreError:
        return None


def _flip(path: Path, other: Picture, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def _flip_with_its_times_restored(path: Path, other: Picture, dice: random.Random) -> None:
    status = path.stat()
    _flip(path, other, dice)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _cut(path: Path, other: Picture, dice: random.Random) -> None:
    os.truncate(path, dice.randrange(1, path.stat().st_size))


def _empty(path: Path, other: Picture, dice: random.Random) -> None:
    os.truncate(path, 0)


def _extend(path: Path, other: Picture, dice: random.Random) -> None:
    with path.open("ab") as file:
        file.write(dice.randbytes(dice.randrange(1, 100)))


def _replace(path: Path, other: Picture, dice: random.Random) -> None:
    path.unlink()
    path.write_bytes(other.data if other.info.sha256 != path.stem else b"none")


def _remove(path: Path, other: Picture, dice: random.Random) -> None:
    path.unlink()


def _put_a_folder_there(path: Path, other: Picture, dice: random.Random) -> None:
    path.unlink()
    path.mkdir()


_DAMAGES: list[Callable[[Path, Picture, random.Random], None]] = [
    _flip,
    _flip_with_its_times_restored,
    _cut,
    _empty,
    _extend,
    _replace,
    _remove,
    _put_a_folder_there,
]


async def _fetch_again(folder: Path, dice: random.Random, images: int) -> Line:
    """Damage images that a source still has; they are asked for by message, and by digest."""
    known = pictures(range(images))
    world = world_of(known)
    wrong = 0
    async with resolving(folder, world) as services:
        for number, picture in enumerate(known):
            await services.resolver.image(link(picture, number)).read()
        before = len(world.fetched)

        async def ask(numbered: tuple[int, Picture]) -> None:
            nonlocal wrong
            number, picture = numbered
            _flip(services.store.path(picture.info), picture, dice)
            image = services.resolver.image(link(picture, images + number))
            wrong += await image.read() != picture.data

        await each(enumerate(known), ask, 8)
        again = len(world.fetched) - before
    # an image is given before it is kept; by now all are
    async with opened(folder) as store:
        wrong += await wrong_or_missing(store, known)
    return Line(
        _PROMISE,
        f"{images} damaged images that a source still has are asked for",
        f"{wrong} wrong bytes, {again} fetched again",
        wrong == 0 and again == images,
    )


async def _damage_index(folder: Path, dice: random.Random, rounds: int) -> Line:
    """Overwrite parts of the index; the images are files, and come back."""
    known = pictures(range(300))
    async with opened(folder) as store:
        await put_all(store, known)
    path = folder / "index.sqlite3"
    wrong = lost = forgotten = errors = noticed = 0
    for _ in range(rounds):
        sound = path.read_bytes()
        data = bytearray(sound)
        for _ in range(dice.randrange(1, 4)):
            at = dice.randrange(len(data))
            piece = dice.randbytes(dice.choice((1, 16, 512, 4096)))
            data[at : at + len(piece)] = piece
        path.write_bytes(data[: dice.randrange(len(data))] if dice.random() < 0.1 else data)
        async with opened(folder) as store:
            for _ in range(6):  # what fails is put aside, and works the next time
                try:
                    await store.upkeep.evict()
                    if not await check_all(store, deep=True, repair=True):
                        break
                except StoreError:
                    noticed += 1
                except Exception:  # noqa: BLE001  counted
                    errors += 1
            missing: list[Picture] = []
            for picture in known:
                try:
                    data_again = await store.read(picture.info)
                    found = await store.find(from_uri(picture.info.uri))
                    forgotten += await store.find(picture.reference) != picture.info
                except StoreError:
                    noticed += 1
                    continue
                except Exception:  # noqa: BLE001  counted
                    errors += 1
                    continue
                wrong += data_again not in (None, picture.data)
                if data_again is None or found is None:
                    missing.append(picture)
            if missing:  # what was noticed only now is right after the next check
                await check_all(store, deep=True, repair=True)
                there = [await store.find(from_uri(picture.info.uri)) for picture in missing]
                lost += there.count(None) + await _unreadable(store, missing)
        path.with_name(path.name + "-wal").unlink(missing_ok=True)
        path.with_name(path.name + "-shm").unlink(missing_ok=True)
        path.write_bytes(sound)
        async with opened(folder) as store:
            await put_all(store, known)
    return Line(
        _PROMISE,
        f"parts of the index of {len(known)} images are overwritten with noise, {rounds} times",
        f"{wrong} wrong bytes, {lost} of {rounds * len(known):,} images not there after the next "
        f"check, {forgotten} known under their digest alone, {errors} errors but for the "
        f"{noticed} that say what happened",
        not (wrong or errors or lost),
    )


async def _unreadable(store: ImageStore, known: list[Picture]) -> int:
    return sum([await _read(store, picture) != picture.data for picture in known])


async def _cost(folder: Path, times: int) -> Line:
    """What verification costs each read: against a read of the same file in the same thread."""
    store = open_store(folder)
    loop = asyncio.get_running_loop()
    figures: list[str] = []
    try:
        for size in _SIZES:
            picture = Picture(1, size)
            await put(store, picture)
            path = store.path(picture.info)
            verified: list[float] = []
            plain: list[float] = []
            for _ in range(times):
                started = time.perf_counter()
                await store.read(picture.info)
                verified.append(time.perf_counter() - started)
                started = time.perf_counter()
                await loop.run_in_executor(None, path.read_bytes)
                plain.append(time.perf_counter() - started)
            ours, theirs = statistics.median(verified), statistics.median(plain)
            figures.append(
                f"{size // 1000} KB {ours * 1e6:.0f} µs against {theirs * 1e6:.0f} µs "
                f"unverified ({ours / theirs:.1f} ×)"
            )
    finally:
        await store.close()
    return Line(_PROMISE, "the cost: one read in a thread, warm", "; ".join(figures), True)
