"""Pixels of decoded pictures: their size, and what is behind them."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MAX_WRITTEN = 11_000_000
"""Pixels to encode: more than any model looks at, and few enough to take seconds, and less memory
than decoding: WebP takes 18 bytes for each that may be transparent."""
_BAND = 1_000_000
"""Pixels that are changed at once where a picture becomes much smaller."""
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


def reduced(
    picture: "Picture", size: tuple[int, int], change: Callable[["Picture"], "Picture"]
) -> "Picture":
    """A picture of this width and height, made band by band where it becomes much smaller.

    So there is no other large picture in memory beside the given one.

    Args:
        picture: a decoded picture, of any mode.
        size: width and height in pixels.
        change: makes a picture of its pixels that can be resized.
    """
    import PIL.Image

    width, height = picture.size
    factor = int(min(width / size[0], height / size[1]) / 2)
    if factor < 2:
        return resized(change(picture), size)
    small: Picture | None = None
    step = max(1, _BAND // (width * factor)) * factor
    for top in range(0, height, step):
        band = change(picture.crop((0, top, width, min(height, top + step)))).reduce(factor)
        if small is None:
            small = PIL.Image.new(band.mode, (band.width, -(-height // factor)))
        small.paste(band, (0, top // factor))
    return resized(small or picture, size)


def on_white(picture: "Picture") -> "Picture":
    """A picture of `colours.on_screen` on white, so that nothing of it is transparent."""
    import PIL.Image

    if picture.mode == "RGB":
        return picture
    flat = PIL.Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A"))
    return flat
