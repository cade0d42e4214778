"""Thumbnails: a small WebP of a picture's first frame, made with Pillow, within limits."""

import io
import threading

from .decoding.decoding import first_frame
from .decoding.pillow import failures_in_words
from .decoding.pixels import resized
from .info import ImageInfo

SIDE = 256
"""Pixels of the longer side."""
_QUALITY = 70
_LARGE = 8_000_000
"""Pixels of a picture that is decoded while no other large one is: it takes 100 MB and more."""
_one_large = threading.Lock()  # so that two threads hold one large picture at a time


def thumbnail(data: bytes, info: ImageInfo, max_decoded: int) -> bytes:
    """The thumbnail of a picture, as WebP, turned as it should be seen. Blocks.

    Args:
        data: the picture's bytes.
        info: the facts about them.
        max_decoded: pixels that may be decoded.

    Raises:
        AttemptFailed: Pillow is not installed or cannot read it, or that would cost too much.
    """
    with failures_in_words(info):
        if info.width * info.height < _LARGE:
            return _made(data, info, max_decoded)
        with _one_large:
            return _made(data, info, max_decoded)


def _made(data: bytes, info: ImageInfo, max_decoded: int) -> bytes:
    scale = min(1.0, SIDE / max(info.width, info.height, 1))
    width, height = max(1, round(info.width * scale)), max(1, round(info.height * scale))
    # four times the pixels: what is decoded smaller is still sharp when it is made smaller again
    still = first_frame(data, info, 4 * width * height, max_decoded)
    scale = min(1.0, SIDE / max(still.size))
    still = resized(
        still, (max(1, round(still.width * scale)), max(1, round(still.height * scale)))
    )
    still.info = {}  # comments, colour profiles and locations are private
    buffer = io.BytesIO()
    still.save(buffer, "WEBP", quality=_QUALITY, method=2)
    return buffer.getvalue()
