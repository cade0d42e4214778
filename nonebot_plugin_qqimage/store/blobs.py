"""Blobs: verified bytes as files, named by their SHA-256.

Every function blocks and belongs in a thread. Several processes may share the folder: a file
appears under its final name only when it is whole, and its name says what it must contain.
"""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from ..content import ImageInfo


class Blobs:
    """Image files below one folder.

    Args:
        folder: where they live; made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "images"
        self._quarantine = folder / "quarantine"

    def path(self, info: ImageInfo) -> Path:
        """Where the image with these facts lies, or would lie."""
        return self._folder / info.sha256[:2] / f"{info.sha256}.{info.extension}"

    def write(self, info: ImageInfo, data: bytes) -> Path:
        """Keep the bytes; does nothing when they are there already.

        Raises:
            OSError: disk full, no permission, …
        """
        path = self.path(info)
        with contextlib.suppress(OSError):
            if path.stat().st_size == info.size:
                return path
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        try:
            with open(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _publish(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        return path

    def read(self, info: ImageInfo) -> bytes | None:
        """The bytes, verified; None when they are missing or damaged.

        A damaged file is moved to the quarantine folder, so that it is never returned and can
        be looked at.
        """
        path = self.path(info)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        if len(data) == info.size and hashlib.sha256(data).hexdigest() == info.sha256:
            return data
        with contextlib.suppress(OSError):
            self._quarantine.mkdir(exist_ok=True)
            os.replace(path, self._quarantine / path.name)
        return None

    def delete(self, info: ImageInfo) -> None:
        """Remove the file; missing is fine."""
        with contextlib.suppress(OSError):
            self.path(info).unlink()


def _publish(temporary: str, path: Path) -> None:
    try:
        os.replace(temporary, path)
    except PermissionError:
        # Windows refuses while somebody reads the file, which then is there and whole
        if not path.exists():
            raise
        os.unlink(temporary)
