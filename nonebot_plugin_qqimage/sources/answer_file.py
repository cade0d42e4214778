"""The file that a peer names in its answer, read when it is really ours to read.

The peer's files are only ever read: NapCat's are QQ's own cache.
"""

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import anyio
import anyio.to_thread

from ..errors import AttemptFailed, Cause
from .source import Fetch

_TIMEOUT = 10.0
"""Seconds for reading one file; a dead network mount would take for ever."""


class AnswerFile:
    """``file`` in the answer of ``get_image``.

    Args:
        path_map: the peer's path prefix → the same folder as this bot sees it.
        max_size: the largest acceptable image, in bytes.
    """

    name = "file in the answer"

    def __init__(self, path_map: Mapping[str, str], max_size: int) -> None:
        self._path_map = path_map
        self._max_size = max_size

    async def fetch(self, fetch: Fetch) -> bytes | None:
        """Read the file."""
        if fetch.answer is None or not fetch.answer.file:
            return None
        named = fetch.answer.file[:4096]
        try:
            path = local_path(named, self._path_map)
        except ValueError:  # such as file://[
            path = None
        if path is None:
            raise AttemptFailed(Cause.UNREADABLE, f"{named} is no path of this machine")
        try:
            with anyio.fail_after(_TIMEOUT):
                return await anyio.to_thread.run_sync(
                    _read, path, self._max_size, abandon_on_cancel=True
                )
        except TimeoutError:
            raise AttemptFailed(Cause.TIMEOUT, f"{path} not read within {_TIMEOUT:g} s") from None
        except (OSError, ValueError) as error:
            mapped = "" if str(path) == named else f" (mapped from {named})"
            reason = getattr(error, "strerror", None) or str(error)
            raise AttemptFailed(Cause.UNREADABLE, f"{path}{mapped}: {reason}") from None


def local_path(named: str, path_map: Mapping[str, str]) -> Path | None:
    """The path under which this machine may see a file that the peer named.

    Args:
        named: an absolute POSIX, Windows or UNC path, or a ``file://`` URI.
        path_map: the peer's path prefix → our path prefix; the longest match wins.

    Returns:
        None when the name cannot be a path here, such as a relative one.
    """
    if named[:7].lower() == "file://":
        uri = urlsplit(named)
        named = unquote(uri.path)
        if uri.netloc not in ("", "localhost"):
            named = f"//{unquote(uri.netloc)}{named}"
        elif len(named) > 2 and named[2] == ":":  # file:///C:/…
            named = named[1:]
    for prefix in sorted(path_map, key=len, reverse=True):
        rest = _below(named, prefix)
        if rest is not None:
            return Path(path_map[prefix]).joinpath(*rest)
    path = Path(named)
    # POSIX would take the host of a UNC path for a folder of ours
    foreign = named.startswith("//") and os.name != "nt"
    return path if path.is_absolute() and not foreign else None


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


def _read(path: Path, max_size: int) -> bytes:
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
    if not data:
        raise AttemptFailed(Cause.REJECTED, f"{path} is empty")
    return data
