"""The quarantine: damaged files, put aside so that somebody can look at them."""

import contextlib
import os
import shutil
import time
from pathlib import Path

from ..facts import Totals

_MAX_QUARANTINE = 100
"""Files kept in quarantine; the oldest go first."""


class Quarantine:
    """Damaged files in one folder. Every method blocks.

    Args:
        folder: where they are; made when needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, path: Path) -> None:
        """Put a file aside; it stays where it cannot be moved."""
        with contextlib.suppress(OSError):  # somebody has it open on Windows, …
            make_private_folder(self._folder)
            os.replace(path, self._folder / f"{time.time_ns()}-{path.name}")
            for old in sorted(self._folder.iterdir())[:-_MAX_QUARANTINE]:
                shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink()

    def purge(self, digests: set[str]) -> None:
        """Remove what is here of some images, and every damaged index: it may tell of them.

        Args:
            digests: SHA-256 of the images.
        """
        for path in self._folder.glob("*"):
            name = path.name.partition("-")[2]
            if name.partition(".")[0] in digests or name.startswith("index."):
                with contextlib.suppress(OSError):  # gone meanwhile, or open on Windows
                    path.unlink()

    def totals(self) -> Totals:
        """How many files have been put aside, and their bytes."""
        sizes: list[int] = []
        for path in self._folder.glob("*"):
            with contextlib.suppress(OSError):  # gone meanwhile
                sizes.append(path.stat().st_size)
        return Totals(len(sizes), sum(sizes))


def make_private_folder(folder: Path) -> None:
    """Make a folder that this user alone may read, or let an earlier one be so."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # somebody else's, or a file system without modes
        folder.chmod(0o700)
