"""Pictures within the bounds that a vision model sets: as stored where they fit, else re-encoded.

One picture is worked on at a time, in a thread of its own: see `reencoding`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import anyio
from anyio.lowlevel import RunVar

from ..errors import Attempt, AttemptFailed, ImageRejected
from .info import ImageInfo
from .reencoding import DECODERS, WRITABLE, Animation, Bounds, fitting

_ALIASES = {"jpg": "jpeg", "tif": "tiff", "heif": "heic"}
_THREAD = ThreadPoolExecutor(1, thread_name_prefix="qqimage-vision")
_TURN: RunVar[anyio.CapacityLimiter] = RunVar("qqimage vision turn")


def bounds_of(
    max_bytes: int | None,
    max_pixels: int | None,
    formats: Sequence[str] | None,
    animation: Animation | None,
) -> Bounds | None:
    """What `Image.data_url` was asked for; None when for nothing but the stored bytes.

    Raises:
        ValueError: nothing can satisfy it, or a format is unknown.
    """
    if max_bytes is None and max_pixels is None and formats is None and animation is None:
        return None
    for name, value in (("max_bytes", max_bytes), ("max_pixels", max_pixels)):
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    if animation not in (None, "first", "sheet", "keep"):
        raise ValueError(f"animation must be 'first', 'sheet' or 'keep', not {animation!r}")
    known = None if formats is None else _known(formats)
    return Bounds(max_bytes, max_pixels, known, animation or "first")


async def fit(
    image: str, read: Callable[[], Awaitable[tuple[ImageInfo, bytes]]], bounds: Bounds
) -> tuple[str, bytes]:
    """The MIME type and bytes of a picture within the bounds.

    Args:
        image: the picture, in words.
        read: gives its facts and bytes; awaited when its turn has come, so that those who wait
            hold nothing.
        bounds: what is acceptable.

    Raises:
        ImageRejected: it has to be re-encoded, and cannot be decoded.
        ValueError: even one pixel of it would not fit.
        ImportError: Pillow is missing.
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
            # not `anyio.to_thread`: one who stops waiting would leave its thread running, and
            # the next would start another beside it
            fitted = await loop.run_in_executor(_THREAD, fitting, data, info, bounds)
        except AttemptFailed as failure:
            seconds = time.monotonic() - started
            attempt = Attempt("re-encoding", failure.cause, failure.detail, seconds)
            raise ImageRejected(image, (attempt,)) from failure
    if fitted is None:
        raise ValueError(f"{image} cannot be made to fit max_bytes={bounds.max_bytes}")
    return fitted


def _known(formats: Sequence[str]) -> tuple[str, ...]:
    known: list[str] = []
    for given in (formats,) if isinstance(formats, str) else formats:
        name = given.strip().lower().removeprefix("image/")
        name = _ALIASES.get(name, name)
        if name not in DECODERS:
            raise ValueError(f"unknown format {given!r}; known are {', '.join(DECODERS)}")
        known.append(name)
    if not set(known) & set(WRITABLE):
        raise ValueError(f"formats must name one to re-encode into: {', '.join(WRITABLE)}")
    return tuple(known)
