"""The files a simulated implementation writes for the bot to read, and the paths it reports."""

import asyncio
from enum import Enum
from pathlib import Path
from typing import Literal

from .image_host.faults import WEB_PAGE

Place = Literal["pictures", "temp"]
"""Where NapCat keeps a file: in QQ's folders, or in its own; LuckyLilliaBot has ``temp`` alone."""


class FileFault(Enum):
    """What is wrong with the file in an answer, which says ``ok`` nevertheless."""

    MISSING = "the path names no file"
    NO_PATH = "the path is empty"
    SHORT = "the file holds half of the picture"
    EMPTY = "the file holds nothing"
    HTML = "the file holds a web page"
    GROWING = "the file holds half of the picture at first, and all of it a moment later"


class ImplementationFiles:
    """The implementation's disk.

    Args:
        folder: where files are really written; None writes none.
        reported: what the paths in answers start with, as it may live in a container
            or on another host; by default the folder itself.
        reported_temp: the same for temporary files; by default ``temp`` below ``reported``.
    """

    def __init__(
        self, folder: Path | None, reported: str | None, reported_temp: str | None = None
    ) -> None:
        if reported is None:
            reported = "/nowhere" if folder is None else str(folder.absolute())
        self.folder = folder
        self.reported = reported
        self.reported_temp = f"{reported}/temp" if reported_temp is None else reported_temp
        self.fault: FileFault | None = None
        """What is wrong with every file from now on."""
        self.faults: dict[str, FileFault] = {}
        """What is wrong with the files of pictures of this name."""
        self.growing_seconds = 0.3
        """How long :attr:`FileFault.GROWING` leaves a file unfinished."""
        self._hidden = False
        self._growing: dict[Path, asyncio.Task[None]] = {}

    async def write(
        self, place: Place, relative: str, data: bytes, *, name: str
    ) -> tuple[str, bytes | None]:
        """Write a file; give the path to report and the content, None if there is no file."""
        fault = self.faults.get(name, self.fault)
        if fault is FileFault.NO_PATH:
            return "", None
        reported = self.reported_temp if place == "temp" else self.reported
        path = f"{reported}/{relative}"
        if fault is FileFault.MISSING:
            return path, None
        whole, target = data, self._target(place, relative)
        growing = None if target is None else self._growing.get(target)
        if target is not None and growing is not None:
            if fault is FileFault.GROWING or not growing.done():
                return path, await asyncio.to_thread(target.read_bytes)
        if fault is not None:
            spoilt = {FileFault.EMPTY: b"", FileFault.HTML: WEB_PAGE.body}
            data = spoilt.get(fault, data[: len(data) // 2])
        if target is not None:
            await asyncio.to_thread(_write, target, data)
            if fault is FileFault.GROWING:
                grow = self._grow(target, whole[len(data) :])
                self._growing[target] = asyncio.create_task(grow)
        return path, data

    async def hide(self) -> None:
        """Put the folder with all its files out of the bot's sight, as while it is not shared."""
        await self._move(hidden=True)

    async def show(self) -> None:
        """Put the folder where it is said to be, with all that was written meanwhile."""
        await self._move(hidden=False)

    async def _move(self, *, hidden: bool) -> None:
        here = self._real()
        self._hidden = hidden
        there = self._real()
        if here is None or there is None:
            raise ValueError("there is no folder")
        await asyncio.to_thread(_rename, here, there)

    def _real(self) -> Path | None:
        if self.folder is None or not self._hidden:
            return self.folder
        return self.folder.with_name(f"{self.folder.name}-hidden")

    async def grown(self) -> None:
        """Wait until no file is unfinished any more."""
        await asyncio.gather(*self._growing.values())

    def _target(self, place: Place, relative: str) -> Path | None:
        folder = self._real()
        if folder is None:
            return None
        return (folder / "temp" if place == "temp" else folder) / relative

    async def _grow(self, target: Path, rest: bytes) -> None:
        await asyncio.sleep(self.growing_seconds)
        await asyncio.to_thread(_append, target, rest)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _rename(here: Path, there: Path) -> None:
    here.mkdir(parents=True, exist_ok=True)
    here.rename(there)


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)
