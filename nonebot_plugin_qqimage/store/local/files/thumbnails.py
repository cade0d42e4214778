"""Thumbnails: small pictures of stored images, as files that go with them.

Every function blocks. They can be made anew at any time, so they are bounded by themselves, and
those not looked at for longest go first.
"""

import contextlib
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

_MAX_BYTES = 64 * 1024 * 1024
_KEPT = 7 / 8
"""The share that stays when there are too many: to look at all of them each time takes long."""
_NAME = re.compile("[0-9a-f]{64}")


class Thumbnails:
    """The thumbnails of the images in one folder.

    Args:
        folder: of the store.
        max_bytes: bytes of all of them.
    """

    def __init__(self, folder: Path, max_bytes: int = _MAX_BYTES) -> None:
        self._folder = folder / "thumbnails"
        self._max_bytes = max_bytes
        self._lock = threading.Lock()  # for the next one, which several threads count
        self._bytes: int | None = None

    def read(self, sha256: str) -> bytes | None:
        """The thumbnail of an image, which is looked at with that; None where there is none."""
        path = self._path(sha256)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        with contextlib.suppress(OSError):  # gone meanwhile, or on a drive that is read only
            os.utime(path)
        return data

    def keep(self, sha256: str, data: bytes) -> None:
        """Keep a thumbnail. Nobody needs it so much that the disk would be waited for."""
        path = self._path(sha256)
        # others than the bot's user have no business with what people sent each other
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        try:
            with open(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        with self._lock:
            if self._bytes is None:
                self._bytes = sum(size for _, size, _ in self._all())
            else:
                self._bytes += len(data)
            if self._bytes > self._max_bytes:
                self._bytes = self._trim()

    def remove(self, sha256: str) -> None:
        """Remove the thumbnail of an image, if there is one."""
        with contextlib.suppress(OSError):  # there is none
            self._path(sha256).unlink()

    def names(self) -> set[str]:
        """The SHA-256 of the images that have one."""
        return {path.stem for _, _, path in self._all() if _NAME.fullmatch(path.stem)}

    def _trim(self) -> int:
        """Remove those looked at longest ago, until enough have gone; the bytes that are left."""
        found = sorted(self._all())
        total = sum(size for _, size, _ in found)
        for _, size, path in found:
            if total <= self._max_bytes * _KEPT:
                break
            with contextlib.suppress(OSError):  # gone meanwhile, or open on Windows
                path.unlink()
            total -= size
        return total

    def _all(self) -> Iterator[tuple[float, int, Path]]:
        """When each was looked at last, its bytes, and where it is."""
        for path in self._folder.glob("*/*"):
            with contextlib.suppress(OSError):  # gone meanwhile
                status = path.stat()
                yield status.st_mtime, status.st_size, path

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / f"{sha256}.webp"
