"""TIFF and BigTIFF: https://www.awaresystems.be/imaging/tiff/specification/TIFF6.pdf.

Directories and pixels may stand anywhere, so the end shows only in where the tables point.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from .shape import MAX_PROFILE, Part, Shape, numbers_in, with_changes

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _ROWS = 256, 257, 258, 259, 277, 278
_PARTS = ((273, 279), (324, 325), (513, 514))
"""Where pixels stand and how many bytes there are: strips, tiles, and the oldest form of JPEG."""
_WANTED = {
    _WIDTH,
    _HEIGHT,
    _BITS,
    _COMPRESSION,
    _SAMPLES,
    _ROWS,
    *(tag for both in _PARTS for tag in both),
}
_PROFILE = 34675
_NEEDED = {
    *_WANTED,
    *(254, 262, 266, 274, 284, 290, 291, 292, 293, 297, 317, 320, 322, 323, 332, 338, 339, 347),
    *range(512, 522),
    *range(529, 533),
    _PROFILE,
}
"""Tags that decide what is seen; the others describe it, or point at more that does."""
_SIZES = {
    **dict.fromkeys((1, 2, 6, 7), 1),
    **dict.fromkeys((3, 8), 2),
    **dict.fromkeys((4, 9, 11, 13), 4),
    **dict.fromkeys((5, 10, 12, 16, 17, 18), 8),
}
"""Bytes of one value of each type."""
_MAX_ENTRIES = 1 << 18
"""Entries of all directories; there are about twenty for each page."""
_PAGE = 32
"""Entries that a page counts beside its own, so that there are not too many of them."""
_MAX_PARTS = 1 << 17
"""Strips and tiles of all pages."""


class _Entry(NamedTuple):
    size: int
    values: int
    start: int


class _Directories:
    """The directories of a file, one for each page; on request without what no decoder needs."""

    def __init__(self, data: bytes, *, leaving_out: bool = False) -> None:
        self.data = data
        self.order: Literal["little", "big"] = "little" if data[:1] == b"I" else "big"
        self.big = 43 in data[2:4]
        self.entries, self.parts = _MAX_ENTRIES, _MAX_PARTS
        self.complete = True
        self.leaving_out = leaving_out
        self.changes: list[tuple[int, bytes]] = []
        """Where the entries of each page stand, and what they are without those left out."""

    def number(self, position: int, size: int) -> int:
        if position + size > len(self.data):
            self.complete = False
        return int.from_bytes(self.data[position : position + size], self.order)

    def pages(self) -> Iterator[dict[int, _Entry]]:
        """The entries of each page."""
        at, count_size, size = (8, 8, 20) if self.big else (4, 2, 12)
        wide = self.big * 4 + 4
        form = struct.Struct("<>"[self.order == "big"] + ("HHQ8x" if self.big else "HHI4x"))
        seen = bytearray(len(self.data))  # a directory may be its own successor
        while (position := self.number(at, wide)) and self.complete:
            if position >= len(seen) or seen[position]:
                self.complete = self.complete and position < len(seen)
                return
            seen[position] = 1
            count = self.number(position, count_size)
            start, at = position + count_size, position + count_size + count * size
            self.entries -= count + _PAGE
            if self.entries < 0 or at + wide > len(self.data):
                self.complete = False
                count = max(0, min(count, _MAX_ENTRIES, (len(self.data) - start) // size))
            found: dict[int, _Entry] = {}
            unneeded: list[int] = []
            for number, (tag, kind, values) in enumerate(
                form.iter_unpack(memoryview(self.data)[start : start + count * size])
            ):
                value = start + number * size + size - wide
                value_size = _SIZES.get(kind, 1)
                if value_size * values > wide:
                    value = self.number(value, wide)
                    if value + value_size * values > len(self.data):
                        self.complete = False
                if tag not in _NEEDED or (tag == _PROFILE and values > MAX_PROFILE):
                    unneeded.append(number * size + 4)
                if tag in _WANTED:
                    found.setdefault(tag, _Entry(value_size, values, value))
            if self.leaving_out:
                entries = bytearray(self.data[start : start + count * size])
                for place in unneeded:  # an entry without values is none
                    entries[place : place + wide] = bytes(wide)
                self.changes.append((start, bytes(entries)))
            yield found

    def values(self, entry: _Entry | None) -> Sequence[int]:
        """What an entry says; nothing where there is none, or not all of it."""
        if entry is None:
            return ()
        self.parts -= entry.values
        end = entry.start + entry.values * entry.size
        if self.parts < 0 or end > len(self.data):
            self.complete = False
            return ()
        return numbers_in(self.data, entry.start, end, entry.size, self.order)

    def first(self, entry: _Entry | None, default: int) -> int:
        """The first number that an entry says."""
        return self.number(entry.start, entry.size) if entry is not None else default

    def check(self, page: dict[int, _Entry]) -> None:
        """Take note of whether the pixels of a page are there."""
        for starts, lengths in _PARTS:
            begins = self.values(page.get(starts))
            sizes = self.values(page.get(lengths)) or self._raw_sizes(page, len(begins))
            if any(begin + size > len(self.data) for begin, size in zip(begins, sizes)):  # noqa: B905  as many as there are
                self.complete = False

    def _raw_sizes(self, page: dict[int, _Entry], count: int) -> list[int]:
        """The bytes of each strip of a page that does not say them, as old programs left out."""
        if self.first(page.get(_COMPRESSION), 1) != 1:
            return [1] * count
        bits = self.first(page.get(_BITS), 1) * self.first(page.get(_SAMPLES), 1)
        row = (self.first(page.get(_WIDTH), 0) * bits + 7) // 8
        height = self.first(page.get(_HEIGHT), 0)
        rows = min(self.first(page.get(_ROWS), height), height)
        return [row * max(0, min(rows, height - number * rows)) for number in range(count)]


def shape_of(data: bytes) -> Shape:
    """The size, pages and completeness of a TIFF: whether all that its tables point at is there.

    Args:
        data: the file.
    """
    directories = _Directories(data)
    width = height = frames = 0
    for page in directories.pages():
        if not frames:
            width = directories.first(page.get(_WIDTH), 0)
            height = directories.first(page.get(_HEIGHT), 0)
        frames += 1
        directories.check(page)
    return Shape(width, height, max(frames, 1), directories.complete and frames > 0)


def needed(data: bytes) -> Iterator[Part]:
    """A TIFF whose directories list only what decides what is seen.

    Args:
        data: the file.
    """
    directories = _Directories(data, leaving_out=True)
    for _ in directories.pages():
        pass
    return with_changes(data, sorted(directories.changes))
