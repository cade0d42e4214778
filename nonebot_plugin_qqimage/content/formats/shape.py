"""What a reader of a format gives, and the reader of sizes that some of them share."""

import io
from typing import NamedTuple

import imagesize  # pyright: ignore[reportMissingTypeStubs]


class Shape(NamedTuple):
    """What the structure of a file says about its picture."""

    width: int
    """Width in pixels; less than 1 where it cannot be read."""
    height: int
    """Height in pixels; less than 1 where it cannot be read."""
    frames: int
    """Number of frames, at least 1."""
    complete: bool
    """Whether everything that the structure announces is there."""


def size_in(header: bytes) -> tuple[int, int]:
    """The width and height in pixels that a header says; both less than 1 where it says none.

    Args:
        header: the start of a PNG, JPEG or WebP, no longer than needed.
    """
    # as stored: turning by EXIF is left to the viewer
    return imagesize.get(  # pyright: ignore[reportUnknownMemberType]
        io.BytesIO(header), exif_rotation=False
    )
