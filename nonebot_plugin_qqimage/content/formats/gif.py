"""GIF: https://www.w3.org/Graphics/GIF/spec-gif89a.txt."""

import re

from .shape import Shape, give_way

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
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
    position = 13 + _colours(data, 10)
    most = _MAX_BLOCKS + len(data) // 128
    frames, blocks = 0, most
    while blocks > 0 and (found := _BLOCK.search(data, position)):
        position = found.start()
        if data[position] == _TRAILER:
            return Shape(width, height, max(frames, 1), True)
        if data[position] == _IMAGE:
            frames += 1
            if frames == 1:  # viewers widen the screen for a first frame that stands over its edge
                width = max(width, _number(data, position + 1) + _number(data, position + 5))
                height = max(height, _number(data, position + 3) + _number(data, position + 7))
            position += 11 + _colours(data, position + 9)
        else:
            position += 2
        while position < len(data) and data[position] and blocks > 0:
            position += 1 + data[position]
            blocks -= 1
            give_way(most - blocks, 4096)
        position += 1
        blocks -= 1
    return Shape(width, height, max(frames, 1), False)


def _number(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 2], "little")


def _colours(data: bytes, position: int) -> int:
    """The bytes of the colour table that the flags at this position announce."""
    flags = int.from_bytes(data[position : position + 1], "little")
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
