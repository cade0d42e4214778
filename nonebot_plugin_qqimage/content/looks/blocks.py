"""Blocks of thousands of hashes, to which one hash is compared at a time, at the speed of C.

`Words` needs numpy. `Columns` needs nothing: there the hashes are turned on their side, one whole
number for each of their 256 bits, with a digit for each hash, so that one operation of Python works
on all of them. Half of the bits of every hash are set; how many of these it shares with another
one says how far apart they are, so only the columns of the other one's set bits are added up.

Three quarters of the bits are looked at: what differs too much there, differs too much. Of those
that do not, fewer than one in a hundred thousand is not near.
"""

import threading
import time
from typing import Any, Protocol

from .look import BITS, distance
from .numbers import numpy

LANES = 16_384
"""Hashes in a block: with many more, what is worked on leaves the processor's cache."""
SIZE = BITS // 8
"""Bytes of a hash."""
_WORDS = BITS // 64
_ENOUGH = 3
"""Of four parts, those that are looked at."""
_DIGITS = [bytes(ord("01"[byte >> place & 1]) for byte in range(256)) for place in range(8)]
"""For each bit of a byte, what makes digits of bytes."""
_PAUSE = 0.0001
_rooms = threading.local()


def pause() -> None:
    """Give another thread its turn, as every millisecond of plain Python has to.

    Without that, the event loop would wait for five milliseconds each time that something happens.
    """
    time.sleep(_PAUSE)


class Block(Protocol):
    """Some hashes."""

    def near(self, wanted: int, most: int) -> list[int]:
        """The places, from 0, of all hashes that differ from a hash in at most so many bits.

        There may be others among them; see above.
        """
        ...


def block_of(hashes: bytes) -> Block:
    """A block of hashes, half of whose bits are set. Without numpy, it takes some 20 ms.

    Args:
        hashes: `SIZE` bytes each, at most `LANES` of them.
    """
    np = numpy()
    return Columns(hashes) if np is None else Words(np, hashes)


def loose_block_of(hashes: bytes) -> Block:
    """A block as of `block_of`, for a single search."""
    np = numpy()
    return Loose(hashes) if np is None else Words(np, hashes)


class Words:
    """Hashes as arrays of 64 bits each. What takes long lets other threads run meanwhile.

    Args:
        np: numpy.
        hashes: they.
    """

    def __init__(self, np: Any, hashes: bytes) -> None:
        rows = np.frombuffer(hashes, np.dtype(">u8")).reshape(-1, _WORDS)
        self._np, self._words = np, [word.astype(np.uint64) for word in rows.T[:_ENOUGH]]

    def near(self, wanted: int, most: int) -> list[int]:
        """The places of those that are near; see `Block.near`."""
        np, words = self._np, self._words
        room, total, more = (each[: len(words[0])] for each in self._room())
        for place, word in enumerate(words):
            part = np.uint64(wanted >> BITS - 64 * (place + 1) & (1 << 64) - 1)
            np.bitwise_xor(word, part, out=room)
            np.bitwise_count(room, out=more if place else total)
            if place:
                np.add(total, more, out=total)
        near = total <= most
        return np.flatnonzero(near).tolist() if near.any() else []

    def _room(self) -> Any:
        """Arrays to work in, one set for each thread: new memory each time would cost as much."""
        if not hasattr(_rooms, "arrays"):
            kinds = self._np.uint64, self._np.uint8, self._np.uint8
            _rooms.arrays = [self._np.empty(LANES, kind) for kind in kinds]
        return _rooms.arrays


class Loose:
    """Hashes one by one.

    Args:
        hashes: they.
    """

    def __init__(self, hashes: bytes) -> None:
        starts = range(0, len(hashes), SIZE)
        self._hashes = [int.from_bytes(hashes[start : start + SIZE], "big") for start in starts]

    def near(self, wanted: int, most: int) -> list[int]:
        """The places of those that are near; see `Block.near`."""
        return [place for place, bits in enumerate(self._hashes) if distance(bits, wanted) <= most]


class Columns:
    """Hashes as a number for each bit.

    Args:
        hashes: they, with half of their bits set.
    """

    def __init__(self, hashes: bytes) -> None:
        self._columns: list[int] = []
        for place in range(0, BITS, 8):
            # the first hash has the lowest digits
            column = hashes[SIZE - 1 - place // 8 :: SIZE][::-1]
            self._columns += (int(column.translate(digits), 2) for digits in _DIGITS)
            pause()

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
