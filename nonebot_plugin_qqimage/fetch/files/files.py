"""Files that an implementation names in its answer, or a plugin in a segment.

They are only ever read: NapCat's are QQ's own cache.
"""

import errno
import hashlib
import os
import stat
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import anyio
import anyio.to_thread

from ...errors import AttemptFailed, Cause
from ...implementation.profile import Profile
from ...language import Text
from ..reservation import Reservation, memory_for, size_within
from .roots import Roots

_TIMEOUT = 10.0
"""Seconds for one look at a file; a dead network mount would take for ever."""
_DEADLINE = 15.0
"""Seconds for reading one file, in as many looks as that takes."""
_PATIENCE = 1.0
"""Seconds that a file which is too short is given to become longer."""
_POLL = 0.1
"""Seconds between two looks at it."""
_LOOK = 0.5
"""Seconds for a look whether a file is there."""
_REASONS: dict[type[Exception], Text] = {
    FileNotFoundError: Text("No such file or directory"),
    PermissionError: Text("Permission denied"),
}
"""What the system would say in whatever language it has; the words of glibc."""
_ROOTS = Roots()
"""For who has none of its own."""
_MAX_NAME = 4096
"""Characters of a name that are looked at; no system knows longer paths."""


async def read_file(
    named: str,
    path_map: Mapping[str, str],
    max_size: int,
    *,
    size: int | None,
    md5: str,
    roots: Roots | None = None,
    reservation: Reservation | None = None,
) -> bytes:
    """The content of a file; one that is still being written is given a moment.

    Args:
        named: the path or ``file://`` URI of the file, as seen by whoever named it.
        path_map: their path prefix → the same folder as this bot sees it.
        max_size: the largest acceptable image, in bytes.
        size: bytes it should have, if anybody said so.
        md5: the MD5 it should have, in lower-case hex, or an empty string.
        roots: reads it, and knows which network drives are gone.
        reservation: grown to what the file takes before it is read.

    Raises:
        AttemptFailed: it is not readable here, too large, or stays shorter than `size`.
    """
    named = named[:_MAX_NAME]
    try:
        path = local_path(named, path_map)
    except ValueError:  # such as file://[
        path = None
    if path is None:
        detail = Text("{file} is no path of this machine", file=named)
        raise AttemptFailed(Cause.UNREADABLE, detail)
    try:
        with anyio.fail_after(_DEADLINE):
            file = _File(path, max_size, size, md5, roots or _ROOTS)
            return await _read_whole(file, reservation)
    except TimeoutError:
        detail = Text("{path} not read within {seconds:g} s", path=str(path), seconds=_DEADLINE)
        raise AttemptFailed(Cause.TIMEOUT, detail) from None
    except (OSError, ValueError) as error:
        detail = await anyio.to_thread.run_sync(_why, path, named, path_map, error)
        raise AttemptFailed(Cause.UNREADABLE, detail) from None


async def can_be_read(profile: Profile, path_map: Mapping[str, str]) -> bool:
    """Whether the last file that could not be read here can be by now: its folder may be shared.

    Args:
        profile: the implementation's, which names the file. Only one thread looks at a time, for on
            a dead network mount it would never end.
        path_map: the implementation's path prefix → the same folder as this bot sees it.
    """

    def look() -> bool:
        try:
            path = local_path(profile.unreadable, path_map)
            return path is not None and os.access(path, os.R_OK)
        except ValueError:  # no path at all
            return False
        finally:
            profile.looking = False

    if profile.looking:
        return False
    profile.looking = True
    with anyio.move_on_after(_LOOK):
        return await anyio.to_thread.run_sync(look, abandon_on_cancel=True)
    return False


def _why(path: Path, named: str, path_map: Mapping[str, str], error: OSError | ValueError) -> Text:
    """Why a file cannot be read, in words that its hint is chosen by."""
    reason = _REASONS.get(type(error)) or getattr(error, "strerror", None) or str(error)
    if str(path) == named:
        return Text("{path}: {reason}", path=str(path), reason=reason)
    folders = [Path(folder) for folder in path_map.values() if Path(folder) in path.parents]
    if isinstance(error, FileNotFoundError) and folders and not any(map(Path.is_dir, folders)):
        reason = Text(
            "QQIMAGE__PATH_MAP leads to {folder}, which is no folder here", folder=str(folders[0])
        )
    return Text("{path} (mapped from {file}): {reason}", path=str(path), file=named, reason=reason)


class _File(NamedTuple):
    """A file to be read."""

    path: Path
    max_size: int
    size: int | None
    md5: str
    roots: Roots


async def _read_whole(file: _File, reservation: Reservation | None) -> bytes:
    patience, before = time.monotonic() + _PATIENCE, 0
    room = file.max_size if reservation is None else 0
    while True:
        if reservation is not None:
            room = max(room, size_within(reservation.size))
        found = await file.roots.read(file.path, partial(_read, file, room), _TIMEOUT)
        if isinstance(found, int):  # larger than what there was room for
            assert reservation is not None
            room = found
            await reservation.grow(memory_for(found))
            continue
        data, whole = found
        # where nobody says how long it must be, it must at least not grow any more
        if whole or (file.size is None and 0 < len(data) == before):
            return data
        if time.monotonic() >= patience:
            raise AttemptFailed(Cause.REJECTED, _short(file.path, len(data), file.size))
        before = len(data)
        await anyio.sleep(_POLL)


def _short(path: Path, there: int, size: int | None) -> Text:
    if not there:
        return Text("{path} holds nothing", path=str(path))
    if size is None:
        return Text("{path} goes on growing, with {there} bytes now", path=str(path), there=there)
    return Text("{path} holds {there} of {size} bytes", path=str(path), there=there, size=size)


def _read(file: _File, room: int) -> tuple[bytes, bool] | int:
    """The content of a file, and whether it is known to be all that there should be.

    Or else its size in bytes, where there is not as much room.
    """
    # O_NONBLOCK: opening a pipe must not wait for a writer; O_NOFOLLOW: a link may lead anywhere
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    handle = os.open(file.path, flags)
    try:  # `open` would lose the handle of a folder
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if status.st_size > file.max_size:
            detail = Text(
                "{size} bytes, more than the {limit} allowed",
                size=status.st_size,
                limit=file.max_size,
            )
            raise AttemptFailed(Cause.TOO_LARGE, detail)
        if status.st_size > room:
            return status.st_size
        # a byte more shows that it grows; asking for all that may be would allocate as much
        with open(handle, "rb", closefd=False) as opened:
            data = opened.read(status.st_size + 1)
    finally:
        os.close(handle)
    if file.size is not None and len(data) >= file.size:
        return data, True
    return data, hashlib.md5(data, usedforsecurity=False).hexdigest() == file.md5


def local_path(named: str, path_map: Mapping[str, str]) -> Path | None:
    """The path under which this machine may see a file that the implementation named.

    Args:
        named: an absolute POSIX, Windows or UNC path, or a ``file://`` URI.
        path_map: the implementation's path prefix → our path prefix; the longest match wins.

    Returns:
        None when the name cannot be a path here, such as a relative one.
    """
    if named[:7].lower() == "file://":
        uri = urlsplit(named)
        named = unquote(uri.path)
        if uri.netloc not in ("", "localhost"):
            named = f"//{unquote(uri.netloc)}{named}"
        elif named.startswith("//") and os.name != "nt" and not _mapped(named, path_map):
            named = named[1:]  # file:////home/…, as made by putting file:/// before a path
        elif len(named) > 2 and named[2] == ":":  # file:///C:/…
            named = named[1:]
    mapped = _mapped(named, path_map)
    if mapped is not None:
        return mapped
    path = Path(named)
    # POSIX would take the host of a UNC path for a folder of ours
    foreign = named.startswith("//") and os.name != "nt"
    return path if path.is_absolute() and not foreign else None


def _mapped(named: str, path_map: Mapping[str, str]) -> Path | None:
    for prefix in sorted(path_map, key=len, reverse=True):
        rest = _below(named, prefix)
        if rest is not None:
            return Path(path_map[prefix]).joinpath(*rest)
    return None


def _below(named: str, prefix: str) -> list[str] | None:
    """The parts of a path below a prefix, whichever of the two slashes each is written with."""
    (root, parts), (start_root, start) = _parts(named), _parts(prefix)
    head = parts[: len(start)]
    if _is_windows(named):
        head, start = [part.lower() for part in head], [part.lower() for part in start]
    if root != start_root or head != start or ".." in parts:
        return None
    return parts[len(start) :]


def _parts(path: str) -> tuple[str, list[str]]:
    """Where a path starts (nowhere, ``/``, or ``//`` of UNC), and its parts from there."""
    if _is_windows(path):
        path = path.replace("\\", "/")
    root = path[: min(2, len(path) - len(path.lstrip("/")))]
    return root, [part for part in path.split("/") if part not in ("", ".")]


def _is_windows(path: str) -> bool:
    return "\\" in path or path[1:2] == ":" or path.startswith("//")
