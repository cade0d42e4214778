"""The file that an implementation names in its answer or in the segment, if we may read it.

The implementation's files are only ever read: NapCat's are QQ's own cache.
"""

import errno
import hashlib
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import anyio
import anyio.to_thread

from ..errors import AttemptFailed, Cause
from .reservation import memory_for
from .source import Fetch

_TIMEOUT = 10.0
"""Seconds for reading one file; a dead network mount would take for ever."""
_PATIENCE = 1.0
"""Seconds that a file which is too short is given to become longer."""
_POLL = 0.1


class AnswerFile:
    """``file`` in the answer of ``get_image``.

    Args:
        path_map: the implementation's path prefix → the same folder as this bot sees it.
        max_size: the largest acceptable image, in bytes.
    """

    name = "file in the answer"

    def __init__(self, path_map: Mapping[str, str], max_size: int) -> None:
        self._path_map = path_map
        self._max_size = max_size

    async def fetch(self, fetch: Fetch) -> bytes | None:
        """Read the file.

        Raises:
            AttemptFailed: it is not readable here, or stays shorter than the segment declares.
        """
        named = self._named(fetch)[:4096]
        if not named and fetch.spared:
            fetch.spared = False
            raise AttemptFailed(
                Cause.UNREADABLE, "not asked for: no file could be read here before"
            )
        if not named:
            return None
        try:
            data = await self._read(named, fetch)
        except AttemptFailed as failure:
            if failure.cause is Cause.UNREADABLE:
                self._learn(fetch, False, named)
            raise
        self._learn(fetch, True)
        return data

    def _named(self, fetch: Fetch) -> str:
        return fetch.take("file")

    def _learn(self, fetch: Fetch, readable: bool, named: str = "") -> None:
        if fetch.implementation is not None:
            fetch.implementation.profile.file_was_read(readable, named)

    async def _read(self, named: str, fetch: Fetch) -> bytes:
        try:
            path = local_path(named, self._path_map)
        except ValueError:  # such as file://[
            path = None
        if path is None:
            raise AttemptFailed(Cause.UNREADABLE, f"{named} is no path of this machine")
        try:
            with anyio.fail_after(_TIMEOUT):
                return await self._read_whole(path, fetch)
        except TimeoutError:
            raise AttemptFailed(Cause.TIMEOUT, f"{path} not read within {_TIMEOUT:g} s") from None
        except (OSError, ValueError) as error:
            mapped = "" if str(path) == named else f" (mapped from {named})"
            reason = getattr(error, "strerror", None) or str(error)
            raise AttemptFailed(Cause.UNREADABLE, f"{path}{mapped}: {reason}") from None

    async def _read_whole(self, path: Path, fetch: Fetch) -> bytes:
        """Read the file; one that is still being written is given a moment."""
        size, md5, before = fetch.reference.size, fetch.reference.md5, 0
        patience = time.monotonic() + _PATIENCE
        while True:
            data, whole = await anyio.to_thread.run_sync(
                _read, path, self._max_size, size, md5, abandon_on_cancel=True
            )
            # where nobody says how long it must be, it must at least not grow any more
            if whole or (size is None and 0 < len(data) == before):
                fetch.reservation.resize(memory_for(len(data)))
                return data
            if time.monotonic() >= patience:
                there = f"{len(data)} of {size or 'unknown'} bytes" if data else "nothing"
                raise AttemptFailed(Cause.REJECTED, f"{path} holds {there}")
            before = len(data)
            await anyio.sleep(_POLL)


class SegmentFile(AnswerFile):
    """``file`` of the segment, where it is ``file://…``."""

    name = "file of the segment"

    def _named(self, fetch: Fetch) -> str:
        content = fetch.reference.content
        return content if content.startswith("file://") else ""

    def _learn(self, fetch: Fetch, readable: bool, named: str = "") -> None:
        """Learn nothing: what this bot sends says nothing of the implementation's files."""


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


def _read(path: Path, max_size: int, size: int | None, md5: str) -> tuple[bytes, bool]:
    """The content of a file, and whether it is known to be all that there should be."""
    # O_NONBLOCK: opening a pipe must not wait for a writer; O_NOFOLLOW: a link may lead anywhere
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    with open(os.open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if status.st_size > max_size:
            raise AttemptFailed(
                Cause.TOO_LARGE, f"{status.st_size} bytes, more than the {max_size} allowed"
            )
        data = file.read(max_size + 1)
    if size is not None and len(data) >= size:
        return data, True
    return data, hashlib.md5(data, usedforsecurity=False).hexdigest() == md5
