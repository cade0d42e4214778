"""Pictures within the bounds that a vision model sets: as stored where they fit, else re-encoded.

One picture is worked on at a time, in a thread of its own, because a large one takes hundreds of
megabytes of memory while it is decoded.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import anyio
from anyio.lowlevel import RunVar

from ..config import ScopedConfig
from ..errors import Attempt, AttemptFailed, ImageRejected
from .bounds import Bounds
from .info import ImageInfo
from .reencoding import fitting

_THREAD = ThreadPoolExecutor(1, thread_name_prefix="qqimage-vision")
_TURN: RunVar[anyio.CapacityLimiter] = RunVar("qqimage vision turn")
"""Lets one picture at a time be read and worked on; those who wait hold no bytes."""


_max_decoded = ScopedConfig().max_decoded_pixels
"""Pixels of one frame that this process decodes, as the setting says."""


def limit(max_decoded: int) -> None:
    """Set how much this process decodes, which bounds the memory that it takes.

    Args:
        max_decoded: pixels of one frame; larger pictures are not re-encoded.
    """
    global _max_decoded
    _max_decoded = max_decoded


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
    turn = _TURN.get(None)
    if turn is None:
        turn = anyio.CapacityLimiter(1)
        _TURN.set(turn)
    async with turn:
        info, data = await read()
        started = time.monotonic()
        loop = asyncio.get_running_loop()
        try:
            # not `anyio.to_thread`: a caller that is cancelled would leave its thread running,
            # and the next picture would be worked on at the same time
            fitted = await loop.run_in_executor(_THREAD, fitting, data, info, bounds, _max_decoded)
        except AttemptFailed as failure:
            seconds = time.monotonic() - started
            attempt = Attempt("re-encoding", failure.cause, failure.detail, seconds)
            raise ImageRejected(image, (attempt,)) from failure
    if fitted is None:
        raise ValueError(f"{image} cannot be made to fit max_bytes={bounds.max_bytes}")
    return fitted
