"""PNG, still and animated: https://www.w3.org/TR/png-3/."""

from .shape import Shape, size_in

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
    for _ in range(_MAX_CHUNKS):
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


def _frames(announced: list[int]) -> int:
    """The frames of the animation; 1 where the announcement is invalid, as readers do."""
    valid = len(announced) == 1 and 0 < announced[0] <= _MAX_FRAMES
    return announced[0] if valid else 1
