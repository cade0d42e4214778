"""Pixels of decoded pictures: their size, and what is behind them."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MAX_WRITTEN = 16_000_000
"""Pixels to encode: more than any model looks at, and few enough to take seconds."""
_MAX_SIDE = 16_383
"""Pixels of a side; WebP can have no more."""


def size_within(size: tuple[int, int], pixels: int) -> tuple[int, int]:
    """The largest size of about the same shape that has at most so many pixels.

    Args:
        size: width and height in pixels.
        pixels: width times height that the result may have.
    """
    width, height = size
    scale = min(1, math.sqrt(pixels / (width * height)), _MAX_SIDE / max(size))
    width = min(pixels, max(1, int(width * scale)))
    return width, min(pixels // width, max(1, int(height * scale)))


def resized(picture: "Picture", size: tuple[int, int]) -> "Picture":
    """A picture of this width and height; the picture itself where it has them."""
    import PIL.Image

    if picture.size == size:
        return picture
    return picture.resize(  # pyright: ignore[reportUnknownMemberType]
        size, PIL.Image.Resampling.LANCZOS, reducing_gap=2.0
    )


def on_white(picture: "Picture") -> "Picture":
    """A picture of `colours.on_screen` on white, so that nothing of it is transparent."""
    import PIL.Image

    if picture.mode == "RGB":
        return picture
    flat = PIL.Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A"))
    return flat
