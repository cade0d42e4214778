"""How the store is."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import anyio.to_thread

from ..errors import StoreError
from ..store.image_store import ImageStore
from ..store.local.index import Index, Totals
from .figures import size_of
from .line import Line

_ABOUT = "store"
_LITTLE = 64 << 20
"""Bytes of free space below which writing soon fails."""
_TOLERANCE = 1.05


async def about_store(store: ImageStore, max_size: int | None, *, deep: bool) -> list[Line]:
    """How the store is.

    Args:
        store: the store.
        max_size: bytes it may hold; None if nobody knows.
        deep: also have SQLite check its file, and count everything: seconds, for a large one.
    """
    try:
        totals = await store.totals()
        trouble = await store.query(lambda index: index.counters("store"))
        wrong = await store.query(_index_trouble) if deep else ""
        aside = (await store.quarantined()).images
    except StoreError as error:
        cure = "see what it says; images are fetched all the same, but not kept"
        return [Line("failed", _ABOUT, str(error), cure)]
    lines = await anyio.to_thread.run_sync(_about_disk, store.folder, totals, max_size)
    if wrong:
        lines.append(Line("failed", _ABOUT, f"the index: {wrong}", "run verify --repair"))
    counted = ", ".join(f"{count} {what}" for what, count in trouble.items())
    if aside or counted:
        text = f"{aside} files in quarantine" + (f"; found so far: {counted}" if counted else "")
        cure = "check the disk, and that nobody else changes the folder; then empty quarantine/"
        lines.append(Line("warning", _ABOUT, text, cure))
    return lines


def _index_trouble(index: Index) -> str:
    wrong = index.quick_check()
    with index.transaction():
        totals, by_type = index.totals(), index.counted_by("mime").values()
    counted = Totals(sum(t.images for t in by_type), sum(t.bytes for t in by_type))
    return wrong or ("" if counted == totals else f"{totals} noted, but {counted} there")


def _about_disk(folder: Path, totals: Totals, max_size: int | None) -> list[Line]:
    return [_about_size(totals, max_size), *_about_folder(folder, totals, max_size)]


def _about_size(totals: Totals, max_size: int | None) -> Line:
    text = f"{totals.images} images, {size_of(totals.bytes)}"
    if max_size is None:
        return Line("ok", _ABOUT, text)
    text += f" of at most {size_of(max_size)}"
    if totals.bytes > max_size * _TOLERANCE:
        return Line("warning", _ABOUT, text, "run gc; pinned images are never removed")
    return Line("ok", _ABOUT, text)


def _about_folder(folder: Path, totals: Totals, max_size: int | None) -> Iterator[Line]:
    try:
        handle, name = tempfile.mkstemp(prefix=".new-doctor-", dir=folder)
        os.close(handle)
        os.unlink(name)
    except OSError as error:
        text = f"cannot be written: {error.strerror or error}"
        yield Line("failed", _ABOUT, text, "let the bot's user write to the folder")
    free = shutil.disk_usage(folder).free
    growth = max(0, (max_size or 0) - totals.bytes)
    text = f"{size_of(free)} free on its disk"
    if free < _LITTLE:
        yield Line("failed", _ABOUT, text, "make room; new images are not kept any more")
    elif free < growth:
        cure = "make room, or lower QQIMAGE__MAX_STORE_SIZE"
        yield Line("warning", _ABOUT, f"{text}, but it may grow by {size_of(growth)}", cure)
    else:
        yield Line("ok", _ABOUT, text)
