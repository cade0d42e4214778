"""Boxes, of which AVIF and HEIC are made (ISO/IEC 14496-12): in any order, of any construction."""

from collections.abc import Iterator
from typing import NamedTuple

_MAX_STEPS = 1 << 17
"""Boxes of one file, and entries in them, that are looked at; real files have some thousands."""
_BOX = 2
"""Steps that a box takes, which costs more time than an entry."""


class Box(NamedTuple):
    """One box."""

    kind: bytes
    """Its type, four bytes."""
    at: int
    """Where it begins."""
    start: int
    """Where its content begins."""
    end: int
    """Where it ends; past the end of the file where that is cut."""


class BoxFile:
    """A file of boxes.

    Args:
        data: the file.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        """The file."""
        self._left = _MAX_STEPS

    @property
    def exhausted(self) -> bool:
        """Whether there was more to look at than there is in any real file."""
        return self._left < 0

    def take(self, steps: int = 1) -> bool:
        """Whether so many more steps may be taken.

        Args:
            steps: how many entries are going to be looked at.
        """
        self._left -= steps
        return self._left >= 0

    def number(self, position: int, size: int) -> int:
        """The number of so many bytes at a position; less of it where the file ends before."""
        return int.from_bytes(self.data[position : position + size], "big")

    def boxes(self, start: int, end: int) -> Iterator[Box]:
        """The boxes between two positions. The last one may be longer than that.

        Args:
            start: where the first one begins.
            end: where the last one should end.
        """
        while start + 8 <= end and self.take(_BOX):
            size, content = self.number(start, 4), start + 8
            if size == 0:  # "until the end"
                size = end - start
            elif size == 1:
                size, content = self.number(content, 8), content + 8
            if start + size < content:
                return
            yield Box(self.data[start + 4 : start + 8], start, content, start + size)
            start += size

    def children(self, box: Box | None, skipped: int = 0) -> Iterator[Box]:
        """The boxes in another box that end where it ends or before.

        Args:
            box: what they are in; there are none where it is None.
            skipped: bytes of its content before the first one.
        """
        if box is not None:
            for child in self.boxes(box.start + skipped, min(box.end, len(self.data))):
                if child.end <= box.end:
                    yield child

    def inside(self, box: Box | None, *path: bytes) -> Box | None:
        """The first box under these names, one in the other; None where there is none.

        Args:
            box: what to begin with.
            path: the types of the boxes.
        """
        for kind in path:
            box = next((child for child in self.children(box) if child.kind == kind), None)
        return box
