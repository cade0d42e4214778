"""A disk that is full until somebody makes room, seen as the store sees it."""

import errno
import os
from pathlib import Path

real_fsync = os.fsync


def fsync(file: int) -> None:
    if not Path("room").exists():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    real_fsync(file)


os.fsync = fsync
