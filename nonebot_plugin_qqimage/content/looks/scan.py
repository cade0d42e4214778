"""Very many hashes, and which of them are near a few others: all are compared, and none is missed.

No index structure beats it at such distances: there are too many ways to differ in 60 of 256 bits.
"""

import time
from array import array
from collections.abc import Sequence

from .blocks import LANES, Block, block_of
from .look import distance

_AT_ONCE = 4
"""Blocks between two pauses: about a millisecond."""
_PAUSE = 0.0001
"""Seconds of a pause, in which another thread gets its turn. Without it, the event loop would wait
for five milliseconds each time that something happens."""


class Hashes:
    """Hashes, each with a number that the owner knows it by. One thread at a time may use it."""

    def __init__(self) -> None:
        self._blocks: list[tuple[array[int], Block]] = []
        self._numbers, self._loose = array("q"), list[int]()

    def __len__(self) -> int:
        return len(self._blocks) * LANES + len(self._loose)

    def add(self, number: int, bits: int) -> None:
        """Take one in; half of its bits are set."""
        self._numbers.append(number)
        self._loose.append(bits)
        if len(self._loose) == LANES:
            self._blocks.append((self._numbers, block_of(self._loose)))
            self._numbers, self._loose = array("q"), []

    def near(self, wanted: Sequence[int], most: int) -> list[list[int]]:
        """The numbers of all those near each wanted hash, in no order; rarely of one that is not.

        Args:
            wanted: hashes.
            most: how many bits may differ.
        """
        found: list[list[int]] = []
        for each in wanted:
            loose = zip(self._numbers, self._loose, strict=True)
            found.append([number for number, bits in loose if distance(bits, each) <= most])
            time.sleep(_PAUSE)
        done = 0
        for numbers, block in self._blocks:
            for each, near in zip(wanted, found, strict=True):
                near += (numbers[place] for place in block.near(each, most))
                done += 1
                if done % _AT_ONCE == 0:
                    time.sleep(_PAUSE)
        return found
