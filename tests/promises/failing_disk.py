"""Promise 5, too: trouble with the disk is told of once, and who waits gets the image."""

# ruff: noqa: ASYNC240  short looks at small local files

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path
from unittest import mock

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.store.local.sqlite import database
from nonebot_plugin_qqimage.store.local.sqlite.database import Connection, Database

from ..store.pictures import Picture
from .common import Line, link, logged, opened, pictures, resolving, world_of

_PROMISE = "a failing disk"
_STORED = 10
Trouble = Callable[[Path], AbstractContextManager[None]]


async def attack(folder: Path, quick: bool) -> list[Line]:
    readers = 20 if quick else 60
    troubles: dict[str, Trouble] = {
        "no room for a file": _no_room_for_files,
        "no room for the index": _no_room_for_the_index,
        "the index is locked by another process": _locked,
        "the folder cannot be written": _read_only_folder,
        "the disk has vanished": _vanished,
    }
    lines = [
        await _suffer(folder / str(number), what, trouble, readers, 0.5 if quick else 5.0)
        for number, (what, trouble) in enumerate(troubles.items())
    ]
    real = await _full_disk(folder / "disk", readers)
    return [*lines, *([real] if real else [])]


async def _suffer(
    folder: Path, what: str, trouble: Trouble, readers: int, patience: float = 5.0
) -> Line:
    """Ask for many images while something is wrong, and for more when it is over."""
    with mock.patch.object(database, "_PATIENCE", patience):
        return await _suffer_from(folder, what, trouble, readers)


async def _suffer_from(folder: Path, what: str, trouble: Trouble, readers: int) -> Line:
    known = pictures(range(_STORED + readers + 1), 50_000)
    before, during, after = known[:_STORED], known[_STORED:-1], known[-1]
    loop = asyncio.get_running_loop()
    async with resolving(folder, world_of(known)) as services:
        bad = await _ask(services, before)
        with logged("WARNING") as lines:
            with trouble(folder):
                started = loop.time()
                bad += await _ask(services, during)
                slowest = loop.time() - started
                bad += await _ask(services, before)
            bad += await _ask(services, [after])
        async with opened(folder) as other:
            kept = await other.read(after.info) == after.data
    # a disk that has vanished is told of by reading and by writing, in other words each
    once = len(lines) == 1 or (trouble is _vanished and len(lines) <= 3)
    return Line(
        _PROMISE,
        f"{what}, while {readers} images that come and {_STORED} stored ones are asked for",
        f"{bad} not served, the last after {slowest:.1f} s; {len(lines)} line logged; "
        f"{'kept' if kept else 'not kept'} again afterwards",
        bad == 0 and once and kept,
    )


async def _ask(services: Services, known: list[Picture]) -> int:
    """How many of these were not served as they are; then all are on the disk that can be."""

    async def ask(number: int, picture: Picture) -> bytes:
        image = services.resolver.image(link(picture, number))
        data = await image.read()
        await image
        return data

    answers = await asyncio.gather(
        *(ask(number, picture) for number, picture in enumerate(known)), return_exceptions=True
    )
    pairs = zip(answers, known, strict=True)
    return sum(answer != picture.data for answer, picture in pairs)


@contextlib.contextmanager
def _no_room_for_files(folder: Path) -> Generator[None, None, None]:
    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    with mock.patch.object(os, "fsync", full):
        yield


@contextlib.contextmanager
def _no_room_for_the_index(folder: Path) -> Generator[None, None, None]:
    """The real error of SQLite: no page may be added to the file."""
    real = Database.transaction

    @contextlib.contextmanager
    def transaction(self: Database) -> Generator[Connection, None, None]:
        writer = self._writer  # pyright: ignore[reportPrivateUsage]
        writer.run("PRAGMA max_page_count = 1")  # the present size, at least
        try:
            with real(self) as db:
                # what is free in the last pages is used up first
                db.run("INSERT INTO notes VALUES (random(), randomblob(100000), 0)")
                yield db
        finally:
            writer.run("PRAGMA max_page_count = 1073741823")

    with mock.patch.object(Database, "transaction", transaction):
        yield


@contextlib.contextmanager
def _locked(folder: Path) -> Generator[None, None, None]:
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite3", timeout=30)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextlib.contextmanager
def _read_only_folder(folder: Path) -> Generator[None, None, None]:
    """Mounted read-only where we may; else as far as new files are concerned."""
    mounted = sys.platform == "linux" and _run("mount", "--bind", str(folder), str(folder))
    if mounted:
        _run("mount", "-o", "remount,ro,bind", str(folder))
    real = os.open

    def refuse(path: object, flags: int, *args: int, **options: int) -> int:
        if flags & os.O_CREAT and str(path).startswith(str(folder)):
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *args, **options)  # pyright: ignore

    try:
        with mock.patch.object(os, "open", real if mounted else refuse):
            yield
    finally:
        if mounted:
            _run("umount", "-l", str(folder))


@contextlib.contextmanager
def _vanished(folder: Path) -> Generator[None, None, None]:
    """As when a drive is pulled out: nothing is where the folder was, nor can be made there."""
    elsewhere, nothing = folder.with_name("elsewhere"), folder.with_name("nothing")
    nothing.touch()
    folder.rename(elsewhere)
    while True:
        try:
            nothing.replace(folder)
            break
        except OSError:  # what was under way has made the folder anew
            shutil.rmtree(folder, ignore_errors=True)
    yield
    folder.unlink()
    elsewhere.rename(folder)


async def _full_disk(folder: Path, readers: int) -> Line | None:
    """A real file system that is full, where we may mount one."""
    folder.mkdir()
    if sys.platform != "linux" or not _run(
        "mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)
    ):
        return None

    @contextlib.contextmanager
    def filled(store: Path) -> Generator[None, None, None]:
        with contextlib.suppress(OSError), (folder / "filler").open("wb", 0) as file:
            while True:
                file.write(bytes(4096))
        yield
        (folder / "filler").unlink()

    try:
        return await _suffer(folder / "store", "a real full disk", filled, readers)
    finally:
        _run("umount", "-l", str(folder))


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
