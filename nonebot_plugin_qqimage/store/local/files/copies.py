"""Copies of images, for plugins that may change, move or delete them. All but `made` block.

A copy never shares its bytes with the store: where the file system can, they are shared until one
of the two files is written to (a reflink), which costs no space and hardly any time.
"""

import os
import secrets
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_MAX_AGE = 24 * 3600.0
"""Seconds after which a copy is removed: plugins use it while they handle the event, or soon."""
_MAX_SIZE = 512 * 1024 * 1024
"""Bytes of all copies, without those that have just been made."""
_MAX_FILES = 4096
_YOUNG = 60.0
"""Seconds for which a copy stays, however many there are."""
_FICLONE = 0x40049409
"""Linux's request to share the bytes of another file until one is written to (``linux/fs.h``)."""


class Copies:
    """The folder of the copies, which other processes may use, too.

    Args:
        folder: where they lie; made with the first one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """Where they lie."""
        self._resolved = folder

    def make(self, source: Path | bytes, sha256: str, suffix: str) -> Path:
        """Make a copy, and remove those that are old or too many.

        Args:
            source: the file, or the bytes themselves.
            sha256: of the content.
            suffix: what the name ends with, such as ``.png``.

        Raises:
            OSError: it cannot be made.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._resolved = self.folder.resolve()
        self._remove_old()
        path = self.folder / f"{sha256}-{secrets.token_hex(4)}{suffix}"
        try:
            with path.open("xb") as file:
                if isinstance(source, bytes):
                    file.write(source)
                else:
                    _copy(source, file.fileno(), path)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path

    def made(self, path: Path) -> bool:
        """Whether a path is that of a copy, also where symbolic links were resolved in it.

        It does not look at the file system, and so does not block.
        """
        return path.parent in (self.folder, self._resolved)

    def purge(self, digests: Collection[str]) -> None:
        """Remove the copies of some images, as far as they have not been moved."""
        for path in self.folder.glob("*"):
            if path.name[:64] in digests:
                path.unlink(missing_ok=True)

    def _remove_old(self) -> None:
        now, size = time.time(), 0
        files: list[tuple[float, int, str]] = []
        for entry in os.scandir(self.folder):
            with suppress(OSError):  # its plugin has moved it
                status = entry.stat(follow_symlinks=False)
                files.append((status.st_mtime, status.st_size, entry.path))
        for number, (made, length, path) in enumerate(sorted(files, reverse=True)):
            size += length
            age = now - made
            if age > _MAX_AGE or (age > _YOUNG and (size > _MAX_SIZE or number >= _MAX_FILES)):
                with suppress(OSError):  # a folder, or in use
                    os.unlink(path)


def _copy(source: Path, target: int, path: Path) -> None:
    try:
        import fcntl  # not on Windows

        with source.open("rb") as file:
            fcntl.ioctl(target, _FICLONE, file.fileno())
    except (ImportError, OSError):  # another file system
        shutil.copyfile(source, path)
