"""Blocks of thousands of hashes, to which one hash is compared at a time, at the speed of C.

`Words` needs numpy. `Columns` needs nothing: there the hashes are turned on their side, one whole
number for each of their 256 bits, with a digit for each hash, so that one operation of Python works
on all of them. Half of the bits of every hash are set; how many of these it shares with another
one says how far apart they are, so only the columns of the other one's set bits are added up.

Three quarters of the bits are looked at: what differs too much there, differs too much. Of those
that do not, fewer than one in a hundred thousand is not near.
"""

import time
from collections.abc import Sequence
from typing import Any, Protocol

from .look import BITS
from .numbers import numpy

LANES = 16_384
"""Hashes in a block: with many more, what is worked on leaves the processor's cache."""
_WORDS = BITS // 64
_ENOUGH = 3
"""Of four parts, those that are looked at."""


class Block(Protocol):
    """Some hashes."""

    def near(self, wanted: int, most: int) -> list[int]:
        """The places, from 0, of all hashes that differ from a hash in at most so many bits.

        There may be others among them; see above.
        """
        ...


def block_of(hashes: Sequence[int]) -> Block:
    """A block of hashes, half of whose bits are set. Without numpy, it takes some 50 ms."""
    np = numpy()
    return Columns(hashes) if np is None else Words(np, hashes)


class Words:
    """Hashes as four arrays of 64 bits each.

    Args:
        np: numpy.
        hashes: they.
    """

    def __init__(self, np: Any, hashes: Sequence[int]) -> None:
        data = b"".join(bits.to_bytes(BITS // 8, "little") for bits in hashes)
        rows = np.frombuffer(data, np.dtype("<u8")).reshape(-1, _WORDS)
        self._np, self._words = np, [np.ascontiguousarray(word) for word in rows.T[:_ENOUGH]]

    def near(self, wanted: int, most: int) -> list[int]:
        """The places of those that are near; see `Block.near`."""
        np = self._np
        parts = [np.uint64(wanted >> 64 * place & (1 << 64) - 1) for place in range(_ENOUGH)]
        counts = [
            np.bitwise_count(word ^ part) for word, part in zip(self._words, parts, strict=True)
        ]
        differing = sum(counts[1:], counts[0])
        return np.flatnonzero(differing <= most).tolist()


class Columns:
    """Hashes as a number for each bit.

    Args:
        hashes: they, with half of their bits set.
    """

    def __init__(self, hashes: Sequence[int]) -> None:
        digits = "".join(format(bits, f"0{BITS}b") for bits in reversed(hashes))
        self._columns: list[int] = []
        for place in range(BITS):
            self._columns.append(int(digits[BITS - 1 - place :: BITS], 2))
            if place % 8 == 0:
                time.sleep(0.0001)  # gives the event loop its turn: each takes a tenth of a ms

    def near(self, wanted: int, most: int) -> list[int]:
        """The places of those that are near; see `Block.near`."""
        columns = [self._columns[place] for place in range(BITS) if wanted >> place & 1]
        level = columns[: len(columns) * _ENOUGH // _WORDS]
        # they share so many of all set bits; or so many of these, if they share all of the others
        shared = (BITS - most + 1) // 2 - (len(columns) - len(level))
        enough: int | None = None
        while level:
            (digit,), carried = _added(level)
            # whether the sums are large enough, as far as their lower digits say
            if shared & 1:
                enough = digit if enough is None else digit & enough
            elif enough is not None:
                enough = digit | enough
            shared >>= 1
            level = carried
        return _set_digits(enough or 0)


def _added(level: list[int]) -> tuple[list[int], list[int]]:
    """The last binary digit of a sum in every place, and what is carried, each of twice the weight.

    Three digits of one weight make one of it, and one of twice the weight.
    """
    carried: list[int] = []
    while len(level) > 2:
        one, two, three = level.pop(), level.pop(), level.pop()
        differ = one ^ two
        level.append(differ ^ three)
        carried.append(one & two | differ & three)
    if len(level) == 2:
        one, two = level
        level = [one ^ two]
        carried.append(one & two)
    return level, carried


def _set_digits(number: int) -> list[int]:
    digits, places = bin(number)[:1:-1], list[int]()
    place = digits.find("1")
    while place >= 0:
        places.append(place)
        place = digits.find("1", place + 1)
    return places
