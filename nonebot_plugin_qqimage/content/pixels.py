"""Pixels of decoded pictures: their size and colours, changed with Pillow."""

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


def plain(picture: "Picture") -> "Picture":
    """A picture in RGB, or in RGBA where something of it is transparent."""
    if picture.mode.startswith("I"):  # 16 bits a pixel, which a mere conversion would clip
        grey = picture.convert("I")
        picture = grey.point(  # pyright: ignore[reportUnknownMemberType]
            lambda value: value * (1 / 256) + 0
        ).convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        if picture.getchannel("A").getextrema() == (255, 255):
            picture = picture.convert("RGB")
    elif picture.mode != "RGB":
        picture = picture.convert("RGB")
    return picture


def on_white(picture: "Picture") -> "Picture":
    """A picture of `plain` on a white background, so that nothing of it is transparent."""
    import PIL.Image

    if picture.mode == "RGB":
        return picture
    flat = PIL.Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A"))
    return flat
