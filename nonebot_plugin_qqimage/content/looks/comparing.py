"""The second look: whether two pictures whose hashes are near are the same, by their pixels.

Hashes do not see words: most pictures that differ by a caption only have hashes as near as those
of a picture and its own re-encoding.
"""

import math
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

from .look import Part
from .parts import part_of

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_SIDE = 128
_BLOCK = 16
_SOFTENER = 4.0
"""Grey levels added to the deviation, so that the noise of pale pictures does not count."""
SAME = 0.65
"""Below it the pictures are the same. Re-encoded ones are below 0.38 to 0.81; those with other
words on them above 0.75."""


class Difference(NamedTuple):
    """How much two pictures differ. They have been made equally bright and strong before."""

    most: float
    """In the sixteenth-by-sixteenth part where they differ most: the mean difference, as a multiple
    of the pictures' standard deviation."""
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
    most = 0.0
    blocks = range(0, _SIDE, _BLOCK)
    for top in blocks:
        for left in blocks:
            total = 0.0
            for start in range(top * _SIDE + left, (top + _BLOCK) * _SIDE + left, _SIDE):
                end = start + _BLOCK
                total += sum(
                    abs(a - b) for a, b in zip(mine[start:end], theirs[start:end], strict=True)
                )
            most = max(most, total)
    return Difference(most / _BLOCK**2, _product(mine, theirs))


def _product(one: list[float], other: list[float]) -> float:
    strength = math.sqrt(sum(map(mul, one, one)) * sum(map(mul, other, other)))
    return sum(map(mul, one, other)) / strength if strength else 0.0


def _normalised(square: "Picture") -> list[float]:
    """The pixels, less their mean, divided by their deviation."""
    from PIL import ImageStat

    found = ImageStat.Stat(square)
    mean, deviation = found.mean[0], found.stddev[0] + _SOFTENER
    table = [(value - mean) / deviation for value in range(256)]
    return [table[value] for value in square.tobytes()]
