"""Verifying: bytes that come from elsewhere are what they are said to be, or are not taken."""

import hashlib

import anyio.to_thread

from ...content.info import ImageInfo
from ...content.inspection import inspect
from ...errors import AttemptFailed

_ANY = 1 << 62
_SMALL = 1 << 17
"""Bytes that are judged at once, in 0.3 ms or so: the way to a thread and back takes as long."""


class Damaged(Exception):
    """Bytes are not what they are said to be."""


async def verified(info: ImageInfo, data: bytes) -> ImageInfo | None:
    """The facts of bytes, read from themselves; None where this version knows no such images.

    Args:
        info: what they are said to be.
        data: the bytes.

    Raises:
        Damaged: they have another digest.
    """
    if len(data) <= _SMALL:
        return _verified(info, data)
    return await anyio.to_thread.run_sync(_verified, info, data)


def _verified(info: ImageInfo, data: bytes) -> ImageInfo | None:
    try:
        # what is there has been accepted once, maybe under more generous settings
        found = inspect(data, max_size=_ANY, max_pixels=_ANY, max_frames=_ANY, md5=info.md5)
    except AttemptFailed:
        if _is_damaged(info, len(data), hashlib.sha256(data).hexdigest()):
            raise Damaged from None
        return None
    # by the others the image was found, so they must be true, too
    others = found.md5, found.sha1
    if _is_damaged(info, found.size, found.sha256) or others != (info.md5, info.sha1 or found.sha1):
        raise Damaged
    return found


def _is_damaged(info: ImageInfo, size: int, sha256: str) -> bool:
    return (size, sha256) != (info.size, info.sha256)
