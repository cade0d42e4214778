"""How the store is."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import anyio.to_thread

from ...errors import StoreError
from ...language import Text, with_semicolons
from ...pipeline.fairness import congestion
from ...store.image_store import ImageStore
from ...store.local.digests import Trust
from ...store.local.facts import Totals
from ...store.local.upkeep.bounds import Bounds, here
from ...store.local.upkeep.maintenance import in_words
from ..figures import counted, files_of, images_of, size_of
from ..line import Line

_ABOUT = Text("store")
_LITTLE = 64 << 20
"""Bytes of free space below which writing soon fails."""
_TOLERANCE = 1.05


async def about_store(store: ImageStore, max_size: int | None, *, deep: bool) -> list[Line]:
    """How the store is.

    Args:
        store: the store.
        max_size: bytes it may hold, where no process that uses it allows more; None if nobody
            knows.
        deep: also have SQLite check its file, and count everything: seconds, for a large one.
    """
    try:
        totals, bounds = await store.totals(), await store.catalog.bounds()
        trouble = await store.catalog.counters("store")
        delayed = await store.catalog.counters("delayed")
        left_out = await store.catalog.counters("left out")
        wrong = await store.catalog.index_trouble() if deep else ""
        aside = (await store.catalog.quarantined()).images
        links = await store.catalog.trust_in_links()
    except StoreError as error:
        cure = Text("see what it says; images are fetched all the same, but not kept")
        return [Line("failed", _ABOUT, error.text, cure)]
    if max_size is not None:
        others = [each.max_size for name, each in bounds.items() if name != here()]
        max_size = max(max_size, *others) if others else max_size
    lines = await anyio.to_thread.run_sync(_about_disk, store.folder, totals, max_size)
    if len(set(bounds.values())) > 1:
        lines.append(_about_bounds(bounds))
    if delayed or left_out:
        lines.append(_about_waiting(delayed, left_out))
    if wrong:
        text = Text("the index: {trouble}", trouble=wrong)
        lines.append(Line("failed", _ABOUT, text, Text("run verify --repair")))
    if links.agreed or links.disagreed:
        lines.append(Line("ok", Text("links"), in_words_of_links(links)))
    if aside or trouble:
        lines.append(_about_quarantine(aside, trouble))
    return lines


def in_words_of_links(links: Trust) -> Text:
    """What experience with QQ's links says of what they claim."""
    if not links.agreed and not links.disagreed:
        return Text("none brought an image yet that could be compared with what it says")
    text = Text(
        "{agreed} brought what they say by their SHA-1, {disagreed} something else",
        agreed=links.agreed,
        disagreed=links.disagreed,
    )
    if links.binding:
        return Text("{text}: they decide which image is meant", text=text)
    return Text("{text}: file names and sizes decide, too", text=text)


def _about_bounds(bounds: Mapping[str, Bounds]) -> Line:
    everybodys = with_semicolons(
        Text(
            "{name}: {size}, {days:g} days",
            name=name.rstrip(":"),
            size=size_of(each.max_size),
            days=each.max_age / 86400,
        )
        for name, each in sorted(bounds.items())
    )
    text = Text(
        "processes with different bounds use it, the largest hold: {bounds}", bounds=everybodys
    )
    cure = Text("set QQIMAGE__MAX_STORE_SIZE and QQIMAGE__MAX_AGE alike in each of them")
    return Line("warning", _ABOUT, text, cure)


def _about_waiting(delayed: Mapping[str, int], left_out: Mapping[str, int]) -> Line:
    why = with_semicolons(
        Text("{why} ({count})", why=congestion.in_words(cause), count=count)
        for cause, count in [*delayed.items(), *left_out.items()]
    )
    text = Text(
        "so far, {count} images had to wait for others, and {left_out} were not fetched in "
        "advance: {why}",
        count=sum(delayed.values()),
        left_out=sum(left_out.values()),
        why=why,
    )
    cure = Text("raise QQIMAGE__CONCURRENCY and QQIMAGE__MAX_BYTES_IN_FLIGHT, if memory allows")
    return Line("warning" if left_out else "ok", _ABOUT, text, cure if left_out else "")


def _about_quarantine(aside: int, trouble: Mapping[str, int]) -> Line:
    text = Text(
        "{files} in quarantine; found so far: {found}",
        files=files_of(aside),
        found=counted(trouble.items(), in_words) or Text("nothing"),
    )
    cure = Text("check the disk, and that nobody else changes the folder; then empty quarantine/")
    return Line("warning", _ABOUT, text, cure)


def _about_disk(folder: Path, totals: Totals, max_size: int | None) -> list[Line]:
    return [_about_size(totals, max_size), *_about_folder(folder, totals, max_size)]


def _about_size(totals: Totals, max_size: int | None) -> Line:
    images, size = images_of(totals.images), size_of(totals.bytes)
    if max_size is None:
        return Line("ok", _ABOUT, Text("{images}, {size}", images=images, size=size))
    text = Text(
        "{images}, {size} of at most {max_size}",
        images=images,
        size=size,
        max_size=size_of(max_size),
    )
    if totals.bytes > max_size * _TOLERANCE:
        return Line("warning", _ABOUT, text, Text("run gc; pinned images are never removed"))
    return Line("ok", _ABOUT, text)


def _about_folder(folder: Path, totals: Totals, max_size: int | None) -> Iterator[Line]:
    try:
        handle, name = tempfile.mkstemp(prefix=".new-doctor-", dir=folder)
        os.close(handle)
        os.unlink(name)
    except OSError as error:
        text = Text("cannot be written: {reason}", reason=error.strerror or str(error))
        yield Line("failed", _ABOUT, text, Text("let the bot's user write to the folder"))
    free = shutil.disk_usage(folder).free
    growth = max(0, (max_size or 0) - totals.bytes)
    text = Text("{size} free on its disk", size=size_of(free))
    if free < _LITTLE:
        cure = Text("make room; new images are not kept any more")
        yield Line("failed", _ABOUT, text, cure)
    elif free < growth:
        text = Text(
            "{size} free on its disk, but it may grow by {growth}",
            size=size_of(free),
            growth=size_of(growth),
        )
        cure = Text("make room, or lower QQIMAGE__MAX_STORE_SIZE")
        yield Line("warning", _ABOUT, text, cure)
    else:
        yield Line("ok", _ABOUT, text)
