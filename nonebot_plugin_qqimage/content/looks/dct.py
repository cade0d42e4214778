"""The hash of a small grey picture: the signs of its low frequencies, as PDQ has them.

All arithmetic is with whole numbers, so the bits are the same with numpy and without it.
"""

import math
from operator import add, mul, sub
from typing import Any

from .look import BITS
from .numbers import numpy

SIDE = 64
"""Pixels of a side of what is hashed."""
_COUNT = 16
"""Frequencies in each direction, without the mean."""
_HALF = SIDE // 2


def _wave(frequency: int) -> list[int]:
    """The first half of a cosine; the other half mirrors it."""
    angle = math.pi * frequency / (2 * SIDE)
    return [round(4096 * math.cos(angle * (2 * place + 1))) for place in range(_HALF)]


_WAVES = [_wave(frequency) for frequency in range(1, _COUNT + 1)]


def hash_of(pixels: bytes) -> int:
    """The hash of a picture.

    Args:
        pixels: `SIDE` lines of as many grey values.
    """
    np = numpy()
    strengths = _strengths(pixels) if np is None else _strengths_by_numpy(np, pixels)
    # exactly half of the bits, which makes comparing cheaper; "above the median" says the same
    strongest = sorted(range(BITS), key=lambda place: -strengths[place])[: BITS // 2]
    return sum(1 << place for place in strongest)


def _strengths(pixels: bytes) -> list[int]:
    """How strong each pair of frequencies is, those of the lines first."""
    lines = [_transformed(pixels[start : start + SIDE]) for start in range(0, SIDE**2, SIDE)]
    return [value for column in zip(*lines, strict=True) for value in _transformed(column)]


def _transformed(values: "bytes | tuple[int, ...]") -> list[int]:
    """How strong each frequency is in a line."""
    mirrored = values[: _HALF - 1 : -1]
    even, odd = [*map(add, values, mirrored)], [*map(sub, values, mirrored)]
    return [
        sum(map(mul, wave, even if frequency % 2 else odd)) for frequency, wave in enumerate(_WAVES)
    ]


def _strengths_by_numpy(np: Any, pixels: bytes) -> list[int]:
    half = np.array(_WAVES, np.int64)
    signs = np.array([[-1], [1]] * (_COUNT // 2), np.int64)
    waves = np.concatenate([half, signs * half[:, ::-1]], axis=1)
    square = np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE).astype(np.int64)
    # transposed, so that the lines' frequencies come first
    return (waves @ square @ waves.T).T.ravel().tolist()
