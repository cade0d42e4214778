"""PNG, still and animated: https://www.w3.org/TR/png-3/."""

from typing import Any

from .shape import Shape, give_way, size_in

_HEADER = 33
"""Bytes of the signature and the first chunk."""
_END = b"IEND\xaeB\x60\x82"
_MAX_CHUNKS = 1 << 18
"""Chunks passed one by one; large pictures have some thousands."""
_MAX_FRAMES = 1 << 31
"""Announcements of more frames are not valid."""


def shape_of(data: bytes) -> Shape:
    """The size, frames and completeness of a PNG.

    Args:
        data: the file.
    """
    width, height = size_in(data[:_HEADER])
    announced: list[int] = []
    position, pixels = 8, False
    for number in range(1, _MAX_CHUNKS):
        give_way(number)
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        end = position + 12 + length
        if end > len(data):
            break
        if kind == b"IEND":
            return Shape(width, height, _frames(announced), True)
        if kind == b"acTL" and not pixels:
            announced.append(int.from_bytes(data[position + 8 : position + 12], "big"))
        pixels = pixels or kind == b"IDAT"
        position = end
    # readers forgive a chunk of a wrong length once they have the pixels
    ended = pixels and data.rfind(_END, position) > 0
    return Shape(width, height, _frames(announced), ended)


def eight_bits(data: bytes, mode: str, clear: Any) -> Any:
    """The transparent colour for pixels of 8 bits a colour, into which Pillow makes other depths.

    Args:
        data: the file.
        mode: Pillow's mode of the picture; one of 16 bits a pixel is left to be compared in full.
        clear: the colour as the file says it, or what a palette has instead.
    """
    depth = data[24]
    if mode == "RGB" and depth == 16:
        return tuple(value >> 8 for value in clear)
    if mode == "L" and depth < 8:
        return clear * 255 // ((1 << depth) - 1)
    return clear


def _frames(announced: list[int]) -> int:
    """The frames of the animation; 1 where the announcement is invalid, as readers do."""
    valid = len(announced) == 1 and 0 < announced[0] <= _MAX_FRAMES
    return announced[0] if valid else 1
