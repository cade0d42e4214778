"""Pictures within a vision model's bounds: as they are stored where they fit, else re-encoded."""

import time
from collections.abc import Awaitable, Callable

from ...config import ScopedConfig
from ...errors import Attempt, AttemptFailed, ImageRejected
from ..bounds import Bounds
from ..info import ImageInfo
from .reencoding import fitting
from .turn import in_turn

_max_decoded = ScopedConfig().max_decoded_pixels
"""Pixels of one frame that this process decodes, as the setting says."""


def limit(max_decoded: int) -> None:
    """Set how much this process decodes, which bounds the memory that it takes.

    Args:
        max_decoded: pixels of one frame; larger pictures are not decoded.
    """
    global _max_decoded
    _max_decoded = max_decoded


def max_decoded() -> int:
    """Pixels of one frame that this process decodes."""
    return _max_decoded


async def fit(
    image: str, read: Callable[[], Awaitable[tuple[ImageInfo, bytes]]], bounds: Bounds
) -> tuple[str, bytes]:
    """The MIME type and bytes of a picture within the bounds.

    Args:
        image: the picture, in words.
        read: gives its facts and bytes; it is called when the picture's turn has come.
        bounds: what is acceptable.

    Raises:
        ImageRejected: it has to be re-encoded, and cannot be decoded.
        ValueError: even one pixel of it would not fit.
        MissingExtra: Pillow is not installed.
    """
    started = 0.0

    def work(found: tuple[ImageInfo, bytes]) -> tuple[str, bytes] | None:
        nonlocal started
        started = time.monotonic()
        info, data = found
        return fitting(data, info, bounds, max_decoded())

    try:
        fitted = await in_turn(read, work)
    except AttemptFailed as failure:
        seconds = time.monotonic() - started
        attempt = Attempt("re-encoding", failure.cause, failure.detail, seconds)
        raise ImageRejected(image, (attempt,)) from failure
    if fitted is None:
        raise ValueError(f"{image} cannot be made to fit max_bytes={bounds.max_bytes}")
    return fitted
