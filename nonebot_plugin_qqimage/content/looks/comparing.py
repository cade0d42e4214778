"""The second look: whether two pictures whose hashes are near are the same, by their pixels.

Hashes do not see words: pictures that differ by a caption only are often as near as a picture and
its own re-encoding. What re-encoding does is little, and about the same everywhere; words change a
place much. So each place is compared by itself, and with all the others.
"""

import math
import time
from collections.abc import Sequence
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

from .look import Part
from .parts import part_of

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_SIDE = 128
_BLOCK = 8
_BLOCKS = _SIDE // _BLOCK
_SOFTENER = 4.0
"""Grey levels added to the deviation, so that the noise of pale pictures does not count."""
_NOISE = 0.02
"""What any place may differ by, as a multiple of the deviation."""
_STRUCTURE = 0.1
"""Variance of a place, as a share of the picture's, below which its structure says little."""
_MOST = 0.65
"""What no square of two by two places differs by on average after re-encoding, but by words."""
_OUTLIER = 6.0
"""How many times as much as the average place no place differs after re-encoding, but for one in a
hundred pictures."""
_LOST = 0.5
"""How much of its structure no place loses when it is re-encoded."""


class Difference(NamedTuple):
    """How much two pictures differ. They have been made equally bright and strong before."""

    score: float
    """Up to 1, it is no more than what re-encoding and resizing do."""
    likeness: float
    """The correlation of all their pixels: 1 for the same ones."""


def difference(one: "Picture", part: Part, other: "Picture", other_part: Part) -> Difference | None:
    """How much two pictures differ; None where one has no such part.

    Args:
        one: of `decoding.small`.
        part: what of it is compared.
        other: of `decoding.small`.
        other_part: what of the other one.
    """
    squares = part_of(one, part, _SIDE), part_of(other, other_part, _SIDE)
    if squares[0] is None or squares[1] is None:
        return None
    mine, theirs = _normalised(squares[0]), _normalised(squares[1])
    differing: list[float] = []
    lost = 0.0
    for row in range(_BLOCKS):
        for column in range(_BLOCKS):
            a, b = _place(mine, row, column), _place(theirs, row, column)
            differing.append(sum(abs(x - y) for x, y in zip(a, b, strict=True)) / _BLOCK**2)
            lost = max(lost, _lost(a, b))
        time.sleep(0)  # gives the event loop its turn
    scores = _most(differing) / _MOST, _outlier(differing) / _OUTLIER, lost / _LOST
    strength = math.sqrt(sum(map(mul, mine, mine)) * sum(map(mul, theirs, theirs)))
    return Difference(max(scores), sum(map(mul, mine, theirs)) / (strength or 1.0))


def _normalised(square: "Picture") -> list[float]:
    """The pixels, less their mean, divided by their deviation."""
    from PIL import ImageStat

    found = ImageStat.Stat(square)
    mean, deviation = found.mean[0], found.stddev[0] + _SOFTENER
    table = [(value - mean) / deviation for value in range(256)]
    return [table[value] for value in square.tobytes()]


def _place(pixels: Sequence[float], row: int, column: int) -> list[float]:
    """The pixels of one place."""
    first = row * _BLOCK * _SIDE + column * _BLOCK
    starts = range(first, first + _BLOCK * _SIDE, _SIDE)
    return [value for start in starts for value in pixels[start : start + _BLOCK]]


def _lost(a: Sequence[float], b: Sequence[float]) -> float:
    """How much of its structure one place has not in common with the other: 0 to 2."""
    count = len(a)
    mean_a, mean_b = sum(a) / count, sum(b) / count
    common = sum(map(mul, a, b)) / count - mean_a * mean_b
    own = sum(map(mul, a, a)) / count - mean_a**2 + sum(map(mul, b, b)) / count - mean_b**2
    return 1 - (2 * common + _STRUCTURE) / (own + _STRUCTURE)


def _most(differing: Sequence[float]) -> float:
    """What the two by two places differ by that differ most."""
    squares = (
        [differing[(row + down) * _BLOCKS + column + right] for down in (0, 1) for right in (0, 1)]
        for row in range(0, _BLOCKS, 2)
        for column in range(0, _BLOCKS, 2)
    )
    return max(sum(square) / 4 for square in squares)


def _outlier(differing: Sequence[float]) -> float:
    """How many times as much as the average the place differs that differs most."""
    return max(differing) / (_NOISE + sum(differing) / len(differing))
