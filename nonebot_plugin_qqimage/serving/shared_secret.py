"""The secret that hosts with one shared store have in common, as this host remembers it.

URLs signed with it open on every one of them. The file holds those of earlier shared stores behind
it, for URLs last as long as anybody has them.
"""

import contextlib
import os
import tempfile
from pathlib import Path

_NAME = "secret.shared"
_SECRET = 32
"""Bytes of each secret."""
_MOST = 8
"""Secrets remembered; who has another one each week changes databases too often."""


def remembered(folder: Path) -> list[bytes]:
    """The secrets that are known, the one in use first; none where no store was shared. Blocks."""
    with contextlib.suppress(OSError):
        data = (folder / _NAME).read_bytes()
        return [data[start : start + _SECRET] for start in range(0, len(data), _SECRET)][:_MOST]
    return []


def remember(folder: Path, secret: bytes) -> list[bytes]:
    """Use a secret from now on; all that are known. Blocks.

    Args:
        folder: of the store.
        secret: the shared store's.

    Raises:
        OSError: it cannot be written down.
    """
    before = remembered(folder)
    if before[:1] == [secret]:
        return before
    secrets = [secret, *(each for each in before if each != secret)][:_MOST]
    handle, name = tempfile.mkstemp(prefix=".new-", dir=folder)  # readable by this user alone
    try:
        with open(handle, "wb") as file:
            file.write(b"".join(secrets))
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, folder / _NAME)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
    return secrets
