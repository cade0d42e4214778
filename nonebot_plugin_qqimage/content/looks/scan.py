"""Very many hashes, and which of them are near a few others: all are compared, and none is missed.

No index structure beats it at such distances: there are too many ways to differ in 60 of 256 bits.
"""

from array import array
from collections.abc import Iterable, Sequence

from .blocks import LANES, SIZE, Block, block_of, loose_block_of, pause
from .numbers import numpy

_AT_ONCE = 4
"""Blocks between two pauses: about a millisecond."""


class Hashes:
    """Hashes, each with a number that the owner knows it by. One thread at a time may use it."""

    def __init__(self) -> None:
        self._blocks: list[tuple[array[int], Block]] = []
        self._numbers, self._loose = array("q"), bytearray()

    def __len__(self) -> int:
        return len(self._blocks) * LANES + len(self._numbers)

    def add(self, numbers: Iterable[int], hashes: bytes) -> None:
        """Take some in.

        Args:
            numbers: those of the hashes.
            hashes: `blocks.SIZE` bytes each, the highest first; half of their bits are set.
        """
        self._numbers.extend(numbers)
        self._loose += hashes
        while len(self._numbers) >= LANES:
            block = block_of(bytes(self._loose[: LANES * SIZE]))
            self._blocks.append((self._numbers[:LANES], block))
            del self._numbers[:LANES], self._loose[: LANES * SIZE]

    def near(self, wanted: Sequence[int], most: int) -> list[list[int]]:
        """The numbers of all those near each wanted hash, in no order; rarely of one that is not.

        Args:
            wanted: hashes.
            most: how many bits may differ.
        """
        found: list[list[int]] = [[] for _ in wanted]
        loose = loose_block_of(bytes(self._loose))
        done = 0
        for numbers, block in [(self._numbers, loose), *self._blocks]:
            for each, near in zip(wanted, found, strict=True):
                near += (numbers[place] for place in block.near(each, most))
                done += 1
                # numpy lets other threads run by itself
                if numpy() is None and (block is loose or done % _AT_ONCE == 0):
                    pause()
        return found
