"""GIF: https://www.w3.org/Graphics/GIF/spec-gif89a.txt."""

import re
from collections.abc import Iterator

from .shape import Part, Shape, give_way, without

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL = b"\xf9"
"""The extension that says what is transparent, and how long a frame is seen."""
_BLOCK = re.compile(rb"[\x21\x2c\x3b]")
"""Anything else between two blocks is skipped, as readers do with padding."""
_MAX_BLOCKS = 1 << 16
"""Blocks passed one by one, beside one for every 128 bytes; full ones have 255."""


def shape_of(data: bytes) -> Shape:
    """The size, frames and completeness of a GIF: whether its trailer is there.

    Args:
        data: the file.
    """
    width, height = _number(data, 6), _number(data, 8)
    frames = 0
    for kind, position, _ in _blocks(data):
        if kind == _TRAILER:
            return Shape(width, height, max(frames, 1), True)
        if kind == _IMAGE:
            frames += 1
            if frames == 1:  # viewers widen the screen for a first frame that stands over its edge
                width = max(width, _number(data, position + 1) + _number(data, position + 5))
                height = max(height, _number(data, position + 3) + _number(data, position + 7))
    return Shape(width, height, max(frames, 1), False)


def _blocks(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The kind, beginning and end of each block, up to the trailer."""
    position = 13 + _colours(data, 10)
    blocks = most = _MAX_BLOCKS + len(data) // 128
    while blocks > 0 and (found := _BLOCK.search(data, position)):
        start = position = found.start()
        if data[start] == _TRAILER:
            yield _TRAILER, start, start + 1
            return
        position += 11 + _colours(data, start + 9) if data[start] == _IMAGE else 2
        while position < len(data) and data[position] and blocks > 0:
            position += 1 + data[position]
            blocks -= 1
            give_way(most - blocks, 4096)
        position += 1
        blocks -= 1
        yield data[start], start, position


def needed(data: bytes) -> Iterator[Part]:
    """The parts of a GIF that decide what is seen: no comments, nor data of programs.

    Args:
        data: the file.
    """
    spans = (
        (start, end)
        for kind, start, end in _blocks(data)
        if kind == _EXTENSION and data[start + 1 : start + 2] != _CONTROL
    )
    return without(data, spans)


def _number(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 2], "little")


def _colours(data: bytes, position: int) -> int:
    """The bytes of the colour table that the flags at this position announce."""
    flags = int.from_bytes(data[position : position + 1], "little")
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
