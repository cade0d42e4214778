"""WebP: https://developers.google.com/speed/webp/docs/riff_container."""

from .shape import Shape, give_way, size_in

_HEADER = 30
"""Bytes up to the size, in each of the three sorts."""
_MAX_CHUNKS = 1 << 17
"""Chunks looked at; a hostile file has one for every eight bytes."""
_SIDE = 0x3FFF
"""The bits of a lossy picture's side; the two above them only say how to scale it for display."""


def shape_of(data: bytes) -> Shape:
    """The size, frames and completeness of a WebP.

    Args:
        data: the file.
    """
    width, height = size_in(data[:_HEADER]) if len(data) >= _HEADER else (0, 0)
    if data[12:16] == b"VP8 ":
        width, height = width & _SIDE, height & _SIDE
    end = 8 + int.from_bytes(data[4:8], "little")
    frames, position = 0, 12
    for number in range(1, _MAX_CHUNKS):
        give_way(number)
        if position + 8 > min(end, len(data)):
            break
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        frames += data[position : position + 4] == b"ANMF"
        position += 8 + size + size % 2
    return Shape(width, height, frames or 1, end <= len(data))
