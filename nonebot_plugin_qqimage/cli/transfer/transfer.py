"""``export`` and ``import``: images out of the store as plain files, and plain files into it."""

import argparse
import hashlib
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import anyio.to_thread

from ...content.info import ImageInfo
from ...content.inspection import inspect_within
from ...doctor.figures import files_of, images_of, size_of
from ...errors import AttemptFailed
from ...language import Text, localized, say
from ...messages.reference import ImageReference
from ...store.image_store import ImageStore
from ...store.local.facts import Selection, Stored
from ..contents.listing import facts
from ..contents.show import seen
from ..session.commands import Commands
from ..session.query import HELP, from_terms
from ..session.session import TROUBLE, Result, Session
from ..terminal.terminal import Terminal
from .annotated import said, take_over
from .files import Files, files_below, reason_of
from .manifest import Manifest

_PAGE = 200
_MAX_SIGHTINGS = 1000
_MAX_SHOWN = 50
_SOURCE = Text("import")
_WRITTEN, _THERE = "written", "there already"
"""What becomes of an exported image, but for trouble."""


def add(commands: Commands) -> None:
    """Add the commands."""
    exporting = commands.add("export", export, say("write images, verified, into a folder"))
    exporting.add_argument("query", metavar="QUERY", nargs="+", help=HELP.local)
    exporting.add_argument(
        "target", metavar="DIR", help=say("made when missing; nothing is replaced")
    )
    importing = commands.add(
        "import", import_files, say("keep the images in a folder, or one file"), needs_store=False
    )
    importing.add_argument(
        "origin", metavar="PATH", help=say("a folder, or one file; what is no image is left out")
    )


async def export(session: Session, arguments: argparse.Namespace) -> Result:
    """Write images into a folder, as ``<sha256>.<extension>``."""
    selection, folder = from_terms(arguments.query), Path(arguments.target)
    count = (await session.store.catalog.measure(selection)).images
    done: Counter[str] = Counter()
    trouble: list[dict[str, str]] = []
    manifest = Manifest(folder)
    await _in_thread(manifest.open)
    try:
        with session.terminal.progress("export", count) as advance:
            async for stored in _select(session.store, selection):
                advance(done.total())
                problem = await _export(session.store, stored.info, folder)
                done[problem or _WRITTEN] += 1
                if problem in ("", _THERE):
                    sightings = await session.store.sightings(
                        sha256=stored.info.sha256, limit=_MAX_SIGHTINGS
                    )
                    known = await session.store.annotations.of(stored.info.sha256)
                    entry = {
                        **facts(stored),
                        "sightings": [seen(each) for each in sightings],
                        "annotations": [said(each) for each in known],
                    }
                    await _in_thread(manifest.add, _file_name(stored.info), entry)
                else:
                    trouble.append({"sha256": stored.info.sha256, "problem": problem})
    finally:
        await _in_thread(manifest.close)
    document = {
        "folder": str(folder),
        "written": done[_WRITTEN],
        "there_already": done[_THERE],
        "trouble": trouble,
    }

    def show(terminal: Terminal) -> None:
        _show_left_out(terminal, [(each["sha256"], each["problem"]) for each in trouble])
        images = images_of(done[_WRITTEN])
        text = say("{images} written to {folder}", images=images, folder=folder)
        if done[_THERE]:
            text += say(", {count} were there already", count=done[_THERE])
        if trouble:
            text += say(", {count} left out", count=len(trouble))
        terminal.line(text)

    return Result(document, show, TROUBLE if trouble else 0)


async def _select(store: ImageStore, selection: Selection) -> AsyncIterator[Stored]:
    last = ""
    while page := await store.catalog.select(selection, after=last, limit=_PAGE):
        for stored in page:
            yield stored
        last = page[-1].info.sha256


async def _export(store: ImageStore, info: ImageInfo, folder: Path) -> str:
    """Write one image; what became of it, empty if all went well."""
    path = folder / _file_name(info)
    if await _in_thread(_holds, path, info):
        return _THERE
    data = await store.read(info)
    if data is None:
        return Text("damaged or missing in the store")
    if await _in_thread(_write, path, data):
        return ""
    return Text("another file of that name is there")


def _holds(path: Path, info: ImageInfo) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == info.sha256
    except FileNotFoundError:
        return False


def _write(path: Path, data: bytes) -> bool:
    """Write a file at once or not at all; False when there is one."""
    if path.exists():
        return False
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_bytes(data)
    os.replace(unfinished, path)
    return True


def _file_name(info: ImageInfo) -> str:
    return f"{info.sha256}.{info.extension}"


async def import_files(session: Session, arguments: argparse.Namespace) -> Result:
    """Keep an image, or every image below a folder."""
    origin = Path(arguments.origin)
    found = await _in_thread(files_below, origin)
    if not (found.files or found.left_out):
        text = say("there are no files in {folder}", folder=origin)
        return Result(_counted(0, found), lambda terminal: terminal.line(text), TROUBLE)
    await _warn_of_bounds(session, found.files)
    kept: set[str] = set()
    with session.terminal.progress("import", len(found.files)) as advance:
        for done, path in enumerate(found.files):
            advance(done)
            try:
                data, info = await _in_thread(_read, path, session)
            except AttemptFailed as failure:
                found.leave_out(path, failure.text)
                continue
            except OSError as error:
                found.leave_out(path, reason_of(error))
                continue
            await session.store.put(ImageReference(sha256=info.sha256), info, data, _SOURCE)
            kept.add(info.sha256)
    for folder in dict.fromkeys(path.parent for path in found.files):
        await take_over(session.store.annotations, folder, kept)

    def show(terminal: Terminal) -> None:
        _show_left_out(terminal, [(str(path), reason) for path, reason in found.left_out])
        images, files = images_of(len(kept)), files_of(found.count)
        text = say("{images} kept, of {files}", images=images, files=files)
        if found.left_out:
            text += say(", {count} skipped", count=len(found.left_out))
        terminal.line(text)

    return Result(_counted(len(kept), found), show, TROUBLE if found.left_out else 0)


def _counted(images: int, found: Files) -> dict[str, Any]:
    skipped = [{"file": str(path), "reason": reason} for path, reason in found.left_out]
    return {"images": images, "files": found.count, "skipped": skipped}


def _show_left_out(terminal: Terminal, left_out: Sequence[tuple[str, str]]) -> None:
    """Show names with the reasons why they are left out; beyond so many, count the reasons."""
    for name, reason in left_out[:_MAX_SHOWN]:
        terminal.line(f"{name}: {localized(reason)}", hang=2)
    others = Counter(
        reason.outline if isinstance(reason, Text) else reason
        for _, reason in left_out[_MAX_SHOWN:]
    )
    if others:
        terminal.line(say("… and {count} more:", count=others.total()))
    for reason, count in others.most_common():
        terminal.line(f"  {count} × {reason}", hang=4)


async def _warn_of_bounds(session: Session, files: list[Path]) -> None:
    coming = await _in_thread(lambda: sum(map(_size, files)))
    there = (await session.store.totals()).bytes
    if session.bounded and there + coming > session.config.max_store_size:
        session.terminal.note(
            say(
                "{coming} more than the {there} there exceed QQIMAGE__MAX_STORE_SIZE ({max_size}): "
                "what was used least recently will go",
                coming=size_of(coming),
                there=size_of(there),
                max_size=size_of(session.config.max_store_size),
            )
        )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # which is told when the file is read
        return 0


def _read(path: Path, session: Session) -> tuple[bytes, ImageInfo]:
    with path.open("rb") as file:
        data = file.read(session.config.max_image_size + 1)
    return data, inspect_within(session.config, data)


_in_thread = anyio.to_thread.run_sync
