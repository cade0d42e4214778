"""Maintenance: files and rows brought back into agreement, one small part at a time."""

import contextlib
import hashlib
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ....content.info import ImageInfo
from ....content.inspection import inspect
from ....errors import AttemptFailed
from ....language import Text
from .. import digests, images
from ..access.rescue import is_sound
from ..facts import Selection
from ..files.blobs import Blobs
from ..sqlite.database import Connection, Database

_ANY = 1 << 62
_DIGEST = re.compile("[0-9a-f]{64}")
_PAGE = 1000
_BATCH = 64
"""Images whose SHA-1 is written down in one transaction: others that write wait meanwhile."""
_SMALL = 16 << 20
"""Bytes of an index that is read as a whole in a moment: some 40,000 images."""
Trouble = Literal["damaged", "missing", "unreadable", "unindexed", "foreign", "leftover"]
"""What can be wrong: a file with other bytes than its name says; a row without its file; a file
that the system does not let us read; an image without its row; a file that is none of ours; what a
killed writer left behind."""
_WORDS = {
    "damaged": Text("damaged"),
    "missing": Text("missing"),
    "unreadable": Text("unreadable"),
    "unindexed": Text("unindexed"),
    "foreign": Text("foreign"),
    "leftover": Text("leftover"),
}


def in_words(trouble: str) -> Text:
    """A `Trouble` as people read it; what a later version calls one is left as it is."""
    return _WORDS.get(trouble) or Text(trouble)


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with the store."""

    trouble: Trouble
    """What."""
    name: str
    """The file, or the SHA-256, that it is about."""


def steps(database: Database, blobs: Blobs, *, thorough: bool) -> list[str]:
    """The parts there are to check, by the first two digits of the digests in them.

    All of the index is read first, to find damage before it does harm.

    Args:
        database: the index.
        blobs: where the files are.
        thorough: read it even if it is large, which takes seconds.

    Raises:
        sqlite3.DatabaseError: it is damaged.
    """
    small = database.path.stat().st_size <= _SMALL
    if (thorough or small) and not is_sound(database.path):
        raise sqlite3.DatabaseError("it is damaged")
    return sorted({*images.shards(database.reader), *blobs.shards()})


def check(
    database: Database, blobs: Blobs, step: str, *, deep: bool, repair: bool, grace: float
) -> list[Finding]:
    """Compare the files and the rows of one part.

    Args:
        database: the index.
        blobs: where the files are.
        step: which part.
        deep: read and verify every file, not only look at its length.
        repair: put damaged files aside, forget rows without a file, index images without a row,
            remove leftovers. Files that are not ours, or cannot be read, stay.
        grace: seconds for which a file may be unfinished, or still without its row.
    """
    before = time.time() - grace
    found = [
        *(Finding("leftover", name) for name in blobs.leftovers(step, before, remove=repair)),
        *_check(database, blobs, step, deep=deep, repair=repair, before=before),
    ]
    if repair:
        _add_sha1(database, blobs, step)
    return found


def _add_sha1(database: Database, blobs: Blobs, step: str) -> None:
    """Write down the SHA-1 of images that an earlier release has put there."""
    while missing := digests.missing(database.reader, step, _BATCH):
        infos: list[ImageInfo] = []
        for sha256 in missing:
            info = images.by_digest(database.reader, sha256)
            with contextlib.suppress(OSError):
                if info is not None and (data := blobs.read(info)) is not None:
                    sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
                    infos.append(replace(info, sha1=sha1))
        if not infos:  # none of them can be read
            return
        with database.transaction() as db:
            digests.add(db, infos)


def set_aside(database: Database, blobs: Blobs, info: ImageInfo) -> Trouble | None:
    """Take a damaged or missing image out of the store; what is wrong with it.

    None when nothing is: somebody may have stored it again, or evicted it, since.
    """
    with database.transaction() as db:
        trouble = _trouble_with(db, blobs, info)
        if trouble == "damaged":
            blobs.quarantine(blobs.path(info))
        if trouble is not None:
            images.remove(db, [info])
        return trouble


def _check(
    database: Database, blobs: Blobs, step: str, *, deep: bool, repair: bool, before: float
) -> Iterator[Finding]:
    files = {path.name: path for path in blobs.files(step)}
    for info in _rows(database.reader, step):
        path = files.pop(blobs.path(info).name, None)
        try:
            if path is not None and (blobs.read(info) if deep else blobs.there(info)):
                continue
            if repair:
                trouble = set_aside(database, blobs, info)
            else:
                trouble = _trouble_with(database.reader, blobs, info)
        except OSError:
            trouble = "unreadable"
        if trouble is not None:
            yield Finding(trouble, info.sha256)
    for path in files.values():
        try:
            trouble = _without_row(database, blobs, path, repair=repair, before=before)
        except OSError:
            trouble = "unreadable"
        if trouble is not None:
            yield Finding(trouble, path.name)


def _rows(db: Connection, step: str) -> Iterator[ImageInfo]:
    last = ""
    while page := images.select(db, Selection(prefix=step), after=last, limit=_PAGE):
        yield from (stored.info for stored in page)
        last = page[-1].info.sha256


def _trouble_with(db: Connection, blobs: Blobs, info: ImageInfo) -> Trouble | None:
    if blobs.read(info) is not None:
        return None
    if os.path.lexists(blobs.path(info)):
        return "damaged"
    return "missing" if images.by_digest(db, info.sha256) is not None else None


def _without_row(
    database: Database, blobs: Blobs, path: Path, *, repair: bool, before: float
) -> Trouble | None:
    if not path.is_file():  # a pipe, which would be read for ever
        return "foreign" if os.path.lexists(path) else None
    try:
        if path.stat().st_mtime > before:
            return None
        data = path.read_bytes()
    except FileNotFoundError:  # evicted meanwhile
        return None
    if not _is_what_it_says(path, data):
        if not _DIGEST.fullmatch(path.stem):
            return "foreign"
        if repair:
            with database.transaction():  # nobody puts it right as long as this lasts
                if not _is_what_it_says(path, path.read_bytes()):
                    blobs.quarantine(path)
        return "damaged"
    try:
        # what is here has been accepted once, maybe under more generous settings
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        info = inspect(data, max_size=_ANY, max_pixels=_ANY, max_frames=_ANY, md5=md5)
    except AttemptFailed:
        return "foreign"
    if blobs.path(info) != path:  # a copy under another name
        return "foreign"
    if repair:
        with database.transaction() as db:
            if blobs.there(info):
                images.add(db, info, "", "recovered")
    return "unindexed"


def _is_what_it_says(path: Path, data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == path.stem
