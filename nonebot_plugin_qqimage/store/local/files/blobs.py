"""Blobs: verified bytes as files, named by their SHA-256.

Every function blocks and belongs in a thread. Several processes may share the folder: a file
appears under its final name only when it is whole, is never overwritten, and its name says what
it must contain.
"""

import contextlib
import errno
import hashlib
import os
import stat
import tempfile
import threading
import time
from pathlib import Path

from cachetools import LRUCache

from ....content.info import ImageInfo
from .copies import Copies
from .quarantine import Quarantine
from .thumbnails import Thumbnails

_TEMPORARY = ".new-"
_READABLE = 0o644
"""The mode of blobs: the implementation may run under another user, and get them by their paths."""
_TO_READ = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
)
"""How blobs are opened; opening a pipe must not wait for who writes to it."""
_NO_SUCH_SYNC = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF)
"""What file systems answer that cannot flush a folder, as some network drives."""
_MAX_VERIFIED = 16_384
"""Files whose verification is remembered: some 3 MB of memory."""


class Blobs:
    """Image files below one folder.

    Args:
        folder: where they live; made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "images"
        self.aside = Quarantine(folder / "quarantine")
        """What was damaged, and has been put aside."""
        self.thumbnails = Thumbnails(folder)
        """Small pictures of the images, which go with them."""
        self.copies = Copies(folder / "copies")
        """Copies that others may change."""
        self._verified: LRUCache[str, tuple[int, ...]] = LRUCache(_MAX_VERIFIED)
        self._lock = threading.Lock()  # for `_verified`, which several threads use

    def path(self, info: ImageInfo) -> Path:
        """Where the image with these facts lies, or would lie."""
        return Path(self._name(info))

    def _name(self, info: ImageInfo) -> str:
        return f"{self._folder}{os.sep}{info.sha256[:2]}{os.sep}{info.sha256}.{info.extension}"

    def write(self, info: ImageInfo, data: bytes) -> None:
        """Keep the bytes, durably; does nothing when a verified file has them already.

        Raises:
            FileExistsError: a damaged file is in the way.
            OSError: disk full, no permission, …
        """
        name = self._name(info)
        if not os.path.lexists(name) and self._create(Path(name), data):
            with contextlib.suppress(FileNotFoundError):  # evicted already, where many share it
                self._remember(info, _mark(os.stat(name)))
        elif not self.intact(info, data):
            raise FileExistsError(errno.EEXIST, "a damaged file is in the way", name)

    def _create(self, path: Path, data: bytes) -> bool:
        try:
            handle, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=path.parent)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=path.parent)
        try:
            with open(handle, "wb") as file:
                file.write(data)
                file.flush()
                with contextlib.suppress(OSError, AttributeError):  # FAT; Windows
                    os.fchmod(file.fileno(), _READABLE)
                os.fsync(file.fileno())
            published = _publish(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        if published:
            _flush_folder(path.parent)
        return published

    def read(self, info: ImageInfo, expected: bytes | None = None) -> bytes | None:
        """The bytes, verified; None when they are missing or damaged.

        The digest is made once a process and file, and anew when the file has changed in any way
        that the system can tell.

        Args:
            info: the image.
            expected: bytes that have its digest, where they are at hand: comparing is cheaper.

        Raises:
            OSError: no permission, a failing disk, …
        """
        try:
            handle = os.open(self._name(info), _TO_READ)
        except FileNotFoundError:
            return None
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):  # somebody has put a folder there, or a pipe
                return None
            mark = _mark(status)
            with open(handle, "rb", buffering=0, closefd=False) as file:
                data = file.read()
            changed = _mark(os.fstat(handle)) != mark
        finally:
            os.close(handle)
        if mark == self._verified_as(info.sha256) and not changed:
            return data
        # the digest alone decides, for a size may come from a damaged row
        if expected is None:
            right = hashlib.sha256(data).hexdigest() == info.sha256
        else:
            right = data == expected
        if not right:
            return None
        if not changed:
            self._remember(info, mark)
        return data

    def remembers(self, info: ImageInfo) -> bool:
        """Whether it has been written or verified before, and should be there; nothing is read."""
        return self._verified_as(info.sha256) is not None

    def there(self, info: ImageInfo) -> bool:
        """Whether there is a file of the right length."""
        try:
            status = os.stat(self._name(info))
        except FileNotFoundError:
            return False
        return status.st_size == info.size and stat.S_ISREG(status.st_mode)

    def intact(self, info: ImageInfo, expected: bytes | None = None) -> bool:
        """Whether the file is there and right, without reading what has been verified before.

        Args:
            info: the image.
            expected: as for `read`.

        Raises:
            OSError: it cannot be read.
        """
        with contextlib.suppress(FileNotFoundError):
            if self._verified_as(info.sha256) == _mark(os.stat(self._name(info))):
                return True
        return self.read(info, expected) is not None

    def delete(self, info: ImageInfo) -> bool:
        """Remove the file; whether it is gone. Windows keeps it while somebody reads it."""
        path = self.path(info)
        try:
            path.unlink(missing_ok=True)
        except OSError:
            if not path.is_dir():
                return False
            self.quarantine(path)
        self._forget(info.sha256)
        return True

    def quarantine(self, path: Path) -> None:
        """Put a file aside, so that it can be looked at; it stays where it cannot be moved."""
        self._forget(path.stem)
        self.aside.put(path)

    def purge(self, digests: set[str]) -> None:
        """Remove what lies in quarantine of some images, their copies, and every damaged index: it
        may tell of them.

        Args:
            digests: SHA-256 of the images.
        """
        self.copies.purge(digests)
        self.aside.purge(digests)

    def shards(self) -> list[str]:
        """The folders there are: at most 256, by the first two digits of the digests in them."""
        with contextlib.suppress(FileNotFoundError):
            return [p.name for p in self._folder.iterdir() if len(p.name) == 2 and p.is_dir()]
        return []

    def files(self, shard: str) -> list[Path]:
        """The finished files in one of these folders."""
        with contextlib.suppress(FileNotFoundError):
            return [p for p in (self._folder / shard).iterdir() if not p.name.startswith(".")]
        return []

    def leftovers(self, shard: str, before: float, *, remove: bool) -> list[str]:
        """What killed writers left behind in one of these folders.

        Args:
            shard: the folder.
            before: seconds since the epoch; a younger file may still be written.
            remove: remove it, too.
        """
        found: list[str] = []
        for path in (self._folder / shard).glob(_TEMPORARY + "*"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < before:
                    found.append(path.name)
                    if remove:
                        path.unlink()
        return found

    def _remember(self, info: ImageInfo, mark: tuple[int, ...]) -> None:
        if _is_racy(mark) or os.name == "nt":  # Windows lets anybody set all its times
            mark = ()  # it must be read again
        with self._lock:
            self._verified[info.sha256] = mark

    def _verified_as(self, sha256: str) -> tuple[int, ...] | None:
        with self._lock:
            return self._verified.get(sha256)

    def _forget(self, sha256: str) -> None:
        self.thumbnails.remove(sha256)
        with self._lock:
            self._verified.pop(sha256, None)


def _mark(status: os.stat_result) -> tuple[int, ...]:
    """What changes when somebody replaces or rewrites the file, the latest time first."""
    times = status.st_mtime_ns, status.st_ctime_ns
    return max(times), *times, status.st_size, status.st_ino


def _is_racy(mark: tuple[int, ...]) -> bool:
    """Whether a file is so new that a change right now might leave it with the same times."""
    in_seconds = mark[0] % 1_000_000_000 == 0  # as FAT counts, in twos even
    return time.time_ns() - mark[0] < (2_000_000_000 if in_seconds else 20_000_000)


def _publish(temporary: str, path: Path) -> bool:
    """Give a file its final name; False when somebody else was faster."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links, such as FAT, or some network drives
        try:
            if not path.exists():
                os.replace(temporary, path)
                return True
        except OSError:  # Windows does not replace what somebody reads
            if not path.exists():
                raise
        return False
    return True


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # which cannot, and has its own journal
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SUCH_SYNC:
            raise
    finally:
        os.close(handle)
