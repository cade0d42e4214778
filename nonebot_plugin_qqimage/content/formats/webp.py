"""WebP: https://developers.google.com/speed/webp/docs/riff_container."""

from collections.abc import Iterator

from .shape import MAX_EXIF, MAX_PROFILE, Part, Shape, give_way, size_in, without

_HEADER = 30
"""Bytes up to the size, in each of the three sorts."""
_PICTURE = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"}
"""Chunks that make up the picture, or the animation."""
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
    frames = sum(kind == b"ANMF" for kind, _, _ in _chunks(data))
    return Shape(width, height, frames or 1, _end(data) <= len(data))


def _end(data: bytes) -> int:
    return 8 + int.from_bytes(data[4:8], "little")


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The type, beginning and end of each chunk; the last one may be cut."""
    end, position = min(_end(data), len(data)), 12
    for number in range(1, _MAX_CHUNKS):
        give_way(number)
        if position + 8 > end:
            return
        start, size = position, int.from_bytes(data[position + 4 : position + 8], "little")
        position += 8 + size + size % 2
        yield data[start : start + 4], start, position


def needed(data: bytes) -> Iterator[Part]:
    """The parts of a WebP that decide what is seen: pixels, frames, turning and colours.

    Args:
        data: the file.
    """
    spans: list[tuple[int, int]] = []
    once = {b"EXIF": MAX_EXIF, b"ICCP": MAX_PROFILE}
    for kind, start, end in _chunks(data):
        if kind not in _PICTURE and end - start > once.pop(kind, 0):
            spans.append((start, end))
    end = min(_end(data), len(data))
    parts = [*without(data, [(0, 12), *spans, (end, len(data))])]
    yield memoryview(b"RIFF" + (4 + sum(map(len, parts))).to_bytes(4, "little") + b"WEBP")
    yield from parts
