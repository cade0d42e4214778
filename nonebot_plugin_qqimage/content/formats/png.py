"""PNG, still and animated: https://www.w3.org/TR/png-3/."""

from collections.abc import Iterator
from typing import Any

from .shape import MAX_EXIF, MAX_PROFILE, Part, Shape, give_way, size_in, without

_HEADER = 33
"""Bytes of the signature and the first chunk."""
_END = b"IEND\xaeB\x60\x82"
_PICTURE = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"}
"""Chunks that make up the picture, or the animation."""
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
    for kind, start, position in _chunks(data):  # noqa: B007  where the last one ends
        if kind == b"IEND":
            return Shape(width, height, _frames(announced), True)
        if kind == b"acTL" and not pixels:
            announced.append(int.from_bytes(data[start + 8 : start + 12], "big"))
        pixels = pixels or kind == b"IDAT"
    # readers forgive a chunk of a wrong length once they have the pixels
    ended = pixels and data.rfind(_END, position) > 0
    return Shape(width, height, _frames(announced), ended)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The type, beginning and end of each chunk that is there as a whole."""
    position = 8
    for number in range(1, _MAX_CHUNKS):
        give_way(number)
        start = position
        position += 12 + int.from_bytes(data[position : position + 4], "big")
        if position > len(data):
            return
        yield data[start + 4 : start + 8], start, position
        if data[start + 4 : start + 8] == b"IEND":
            return


def needed(data: bytes) -> Iterator[Part]:
    """The parts of a PNG that decide what is seen: pixels, frames, turning and colours.

    Args:
        data: the file.
    """
    spans: list[tuple[int, int]] = []
    once = {b"eXIf": MAX_EXIF, b"iCCP": MAX_PROFILE}
    for kind, start, end in _chunks(data):
        if kind in _PICTURE or end - start <= once.pop(kind, 0):
            continue
        spans.append((start, end))
    return without(data, spans)


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
