"""The parts of a picture that are hashed: all of it, its middle, and its content."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .dct import SIDE, hash_of
from .look import Look, Part

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""
_CUT = 0.05
"""Of each side, what the middle lacks."""
_FLAT = 1.5
"""Grey levels between neighbouring pixels, on average, below which a hash would say nothing."""
_ONE_COLOUR = 16
"""Grey levels between the darkest and the brightest pixel of a line that counts as of one colour:
more than what JPEG adds to it."""
_STEP = 16
_LEAST = 0.2
"""Of a side, what the content has at least: less may be a letter of the caption."""
_DIFFERS = 0.02
"""Of a side, what the content must lack to be another part than all of the picture."""


def looks_of(grey: "Picture") -> tuple[Look, ...]:
    """The hashes of a picture; none where it is so flat that many others have the same.

    Args:
        grey: of `decoding.small`.
    """
    found: list[Look] = []
    parts: tuple[Part, ...] = ("whole", "middle", "content")
    for part in parts:
        square = part_of(grey, part, SIDE)
        if square is not None and not is_flat(square):
            found.append(Look(part, hash_of(square.tobytes())))
        elif part == "whole":
            return ()
    return tuple(found)


def part_of(grey: "Picture", part: Part, side: int) -> "Picture | None":
    """A part of a picture as a square; None where it has no such part.

    Args:
        grey: of `decoding.small`.
        part: which.
        side: pixels of a side of the square.
    """
    import PIL.Image

    width, height = grey.size
    box: Box | None = (0, 0, width, height)
    if part == "middle":
        box = (width * _CUT, height * _CUT, width * (1 - _CUT), height * (1 - _CUT))
    elif part == "content":
        box = _content(grey)
    if box is None:
        return None
    return grey.resize(  # pyright: ignore[reportUnknownMemberType]
        (side, side), PIL.Image.Resampling.BOX, box=box
    )


def is_flat(grey: "Picture") -> bool:
    """Whether there is so little in a picture that its hash would be noise."""
    import PIL.Image
    from PIL import ImageChops, ImageStat

    if grey.size != (SIDE, SIDE):
        grey = grey.resize(  # pyright: ignore[reportUnknownMemberType]
            (SIDE, SIDE), PIL.Image.Resampling.BOX
        )
    last = SIDE - 1
    across = ImageChops.difference(grey.crop((0, 0, last, SIDE)), grey.crop((1, 0, SIDE, SIDE)))
    down = ImageChops.difference(grey.crop((0, 0, SIDE, last)), grey.crop((0, 1, SIDE, SIDE)))
    return sum(ImageStat.Stat(each).mean[0] for each in (across, down)) / 2 < _FLAT


def _content(grey: "Picture") -> Box | None:
    """Where the largest part is that is not of one colour line by line; None where that is all."""
    import PIL.Image

    left, top, right, bottom = 0, 0, *grey.size
    for _ in range(2):  # what stands beside the picture may hide what is above it
        first, last = _longest(grey.crop((left, top, right, bottom)))
        top, bottom = top + first, top + last
        turned = grey.crop((left, top, right, bottom)).transpose(PIL.Image.Transpose.TRANSPOSE)
        first, last = _longest(turned)
        left, right = left + first, left + last
    width, height = grey.size
    shares = (right - left) / width, (bottom - top) / height
    if min(shares) < _LEAST or min(shares) > 1 - _DIFFERS:
        return None
    return left, top, right, bottom


def _longest(grey: "Picture") -> tuple[int, int]:
    """The first of the most lines in a row that are not of one colour, and the one behind them."""
    width, height = grey.size
    data = grey.tobytes()
    lines = (data[start : start + width] for start in range(0, width * height, width or 1))
    return _longest_run([_is_coloured(line) for line in lines] if width else [])


def _is_coloured(line: bytes) -> bool:
    few = line[::_STEP]  # which say enough of most lines
    return max(few) - min(few) > _ONE_COLOUR or max(line) - min(line) > _ONE_COLOUR


def _longest_run(marks: Sequence[bool]) -> tuple[int, int]:
    best, start = (0, 0), 0
    for place, mark in enumerate([*marks, False]):
        if not mark:
            best = max(best, (start, place), key=lambda run: run[1] - run[0])
            start = place + 1
    return best
