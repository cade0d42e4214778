"""Pictures as they are looked at: small, grey, upright, on white. Needs Pillow, and blocks.

What is transparent is put on white, which is what QQ shows. What is turned by EXIF is turned, or a
phone's photo would never meet its own re-encoding.
"""

from typing import TYPE_CHECKING

from ..decoding.decoding import first_frame, frames, open_picture
from ..decoding.pillow import pillow
from ..decoding.pixels import on_white
from ..info import ImageInfo
from .parts import is_flat

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SMALL = 256 * 256
"""Pixels that are looked at."""
LARGE = 512 * 512
"""Pixels that are looked at for small words: of a hundredth of the height, as people write them."""
_MAX_DECODED = 16_000_000
"""Pixels to decode, which may take 200 MB: nobody waits for hashes that are made in advance. Only a
JPEG can be decoded small."""
_FRAMES = 10
"""Frames of an animation of which the first that is not flat is hashed: many begin with white."""
_MAX_PASSED = 50_000_000
"""Pixels of all these frames together."""


def small(data: bytes, info: ImageInfo, max_decoded: int, pixels: int = SMALL) -> "Picture":
    """The picture in grey, of a bounded size; of an animation a frame.

    Args:
        data: its bytes.
        info: the facts about them.
        max_decoded: pixels that may be decoded.
        pixels: those that it has at most then.

    Raises:
        AttemptFailed: Pillow cannot read it, or decoding it would cost too much.
        MissingExtra: Pillow is not installed.
    """
    with pillow(info):
        return _small(data, info, min(max_decoded, _MAX_DECODED), pixels)


def _small(data: bytes, info: ImageInfo, max_decoded: int, pixels: int) -> "Picture":
    first = on_white(first_frame(data, info, pixels, max_decoded)).convert("L")
    count = min(info.frames, _FRAMES, _MAX_PASSED // max(1, info.width * info.height))
    if count < 2 or not is_flat(first):
        return first
    later = frames(open_picture(data, info), info, range(1, count), pixels, max_decoded)
    grey = (frame.convert("L") for _, frame in later)
    return next((frame for frame in grey if not is_flat(frame)), first)
