"""Promise 4: many processes, one folder."""

import asyncio
import errno
import itertools
import json
import os
import random
import time
import traceback
from collections import Counter
from pathlib import Path

from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..store.pictures import Picture
from .common import Line, check_all, open_store, opened, pictures, put, wrong_or_missing
from .half_writes import child

_PROMISE = "many processes, one folder"
_PROCESSES = 4
_PICTURES = 400
_PINNED = 10
_BOUND = 1_000_000
"""Bytes: about a hundred of the pictures."""


async def attack(folder: Path, quick: bool) -> list[Line]:
    seconds = 1.0 if quick else 20.0
    long = 1.0 if quick else 60.0
    return [
        await _together(folder / "bounded", "evicting all the time", long, _BOUND),
        await _together(folder / "unbounded", "without a bound", seconds, 1 << 40),
        await _together(folder / "windows", "as on Windows", seconds, _BOUND, windows=True),
    ]


async def _together(
    folder: Path, how: str, seconds: float, bound: int, *, windows: bool = False
) -> Line:
    """Let processes do everything at once that a store can do."""
    until = time.time() + seconds + 1
    processes = [
        child(_work, folder, number, until, bound, windows) for number in range(_PROCESSES)
    ]
    for process in processes:
        await asyncio.to_thread(process.join)
    did: Counter[str] = Counter()
    errors: list[str] = []
    for number in range(_PROCESSES):
        report = json.loads(_report(folder, number).read_text())
        did.update(report["did"])
        errors += report["errors"]
    for error in errors[:3]:
        print(error)
    async with opened(folder, bound) as store:
        kept = [picture for n in range(_PROCESSES) for picture in _pinned(n)]
        if bound > _BOUND:
            kept += pictures(n for number in range(_PROCESSES) for n in _written(folder, number))
        did["lost"] += await wrong_or_missing(store, kept)
        await store.upkeep.evict()
        totals = await store.totals()
        rest = await check_all(store, deep=True)
    did_what = ", ".join(
        f"{did[what]:,} {what}" for what in ("puts", "reads", "evictions", "checks")
    )
    held = not (errors or did["wrong"] or did["lost"] or rest) and totals.bytes <= bound
    return Line(
        _PROMISE,
        f"{_PROCESSES} processes for {seconds:g} s, {how}",
        f"{did_what}; {len(errors)} errors, {did['wrong']} wrong bytes, {did['lost']} images lost, "
        f"{len(rest)} files and rows that disagree",
        held and did["puts"] > 0 and did["reads"] > 0,
    )


def _report(folder: Path, number: int) -> Path:
    return folder.with_name(f"{folder.name}-{number}.json")


def _journal(folder: Path, number: int) -> Path:
    return folder.with_name(f"{folder.name}-{number}.written")


def _written(folder: Path, number: int) -> list[int]:
    """What a process has acknowledged so far."""
    try:
        return [int(line) for line in _journal(folder, number).read_text().split()]
    except (FileNotFoundError, ValueError):
        return []


def _pinned(number: int) -> list[Picture]:
    first = 10_000 + number * 100
    return pictures(range(first, first + _PINNED))


def _work(folder: Path, number: int, until: float, bound: int, windows: bool) -> None:
    dice = random.Random(number)
    if windows:
        _be_windows(dice)
    report = asyncio.run(_Worker(folder, number, bound, dice).run(until))
    _report(folder, number).write_text(json.dumps(report))


class _Worker:
    def __init__(self, folder: Path, number: int, bound: int, dice: random.Random) -> None:
        self.folder, self.number, self.bounded, self.dice = folder, number, bound == _BOUND, dice
        self.store: ImageStore = open_store(folder, bound)
        self.did: Counter[str] = Counter()
        self.errors: list[str] = []

    async def run(self, until: float) -> dict[str, object]:
        for picture in _pinned(self.number):
            await put(self.store, picture)
            # it may be evicted in between: then the store says so
            while not await self.store.pins.add(picture.info.sha256, "attack"):
                await put(self.store, picture)
        acts = (self.put, self.put, self.read, self.read_pinned, self.read_acknowledged)
        seldom = self.evict, self.check
        while time.time() < until:
            work = [self.dice.choice(acts) for _ in range(8)]
            if self.dice.random() < 0.05:
                work.append(self.dice.choice(seldom))
            for result in await asyncio.gather(*(act() for act in work), return_exceptions=True):
                if isinstance(result, BaseException):
                    self.errors.append("".join(traceback.format_exception(result)))
        await self.store.close()
        return {"did": self.did, "errors": self.errors}

    def any(self) -> Picture:
        return pictures([self.dice.randrange(_PICTURES)])[0]

    async def put(self) -> None:
        picture = self.any()
        await put(self.store, picture)
        self.did["puts"] += 1
        with _journal(self.folder, self.number).open("a") as file:
            file.write(f"{picture.reference.message_id}\n")

    async def read(self) -> None:
        await self.look(self.any(), must_be_there=False)

    async def read_pinned(self) -> None:
        await self.look(self.dice.choice(_pinned(self.number)), must_be_there=True)

    async def read_acknowledged(self) -> None:
        """Something that another process has just acknowledged."""
        other = self.dice.randrange(_PROCESSES)
        known = _written(self.folder, other)[:-1]
        if known:
            (picture,) = pictures([self.dice.choice(known[-50:])])
            await self.look(picture, must_be_there=not self.bounded)

    async def look(self, picture: Picture, *, must_be_there: bool) -> None:
        data = await self.store.read(picture.info)
        self.did["reads"] += 1
        self.did["wrong"] += data not in (None, picture.data)
        self.did["lost"] += must_be_there and data is None

    async def evict(self) -> None:
        await self.store.upkeep.evict()
        self.did["evictions"] += 1

    async def check(self) -> None:
        for step in await self.store.upkeep.steps():
            for finding in await self.store.upkeep.check(step, deep=True, repair=True):
                raise StoreError(f"the check found {finding}")
        self.did["checks"] += 1


def _be_windows(dice: random.Random) -> None:
    """Refuse what Windows refuses: to replace or remove what somebody may have open.

    There are no links either, as on FAT.
    """
    link, unlink, numbers = os.link, os.unlink, itertools.count()

    def no_link(*args: object, **options: object) -> None:
        raise OSError(errno.ENOTSUP, "no links")

    def replace(source: str, target: str) -> None:
        if "quarantine" in str(target):
            raise PermissionError(errno.EACCES, "in use")
        try:
            link(source, target)
        except FileExistsError:
            raise PermissionError(errno.EACCES, "in use") from None
        unlink(source)

    def seldom_unlink(path: str, **options: object) -> None:
        if next(numbers) % 3 == 0 and ".new-" not in str(path):
            raise PermissionError(errno.EACCES, "in use")
        unlink(path)

    os.link, os.replace, os.unlink = no_link, replace, seldom_unlink
    # pathlib of Python 3.10 keeps functions of its own
    Path.unlink = lambda self, missing_ok=False: _unlink(seldom_unlink, self, missing_ok)


def _unlink(unlink: object, path: Path, missing_ok: bool) -> None:
    assert callable(unlink)
    try:
        unlink(path)
    except FileNotFoundError:
        if not missing_ok:
            raise
