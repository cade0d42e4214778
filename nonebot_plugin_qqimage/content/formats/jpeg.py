"""JPEG: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, read as tolerantly as libjpeg does."""

import re
from typing import NamedTuple

from .shape import Shape, give_way, size_in

_MARKER = re.compile(rb"\xff[\x01-\xfe]")
"""Anything else between two segments is skipped: stray bytes, and padding of 0xff."""
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
_MAX_SEGMENTS = 1 << 16
"""Segments before the scan; photos with depth maps have some dozens of 64 KB."""


class Headers(NamedTuple):
    """Where the headers of a JPEG stand."""

    frame: int
    """Where the frame header begins, which has the size; -1 without one."""
    scan: int
    """Where the first scan header begins; -1 without one."""


def headers_of(data: bytes) -> Headers:
    """Find the headers, past every thumbnail among the segments before them.

    Args:
        data: the file, or its beginning.
    """
    frame, position = -1, 2
    for number in range(1, _MAX_SEGMENTS):
        give_way(number)
        found = _MARKER.search(data, position)
        if found is None:
            break
        marker, position = data[found.start() + 1], found.end()
        if marker == 0xDA:
            return Headers(frame, found.start())
        if marker == 0xD9:
            break
        if marker in _FRAMES and frame < 0:
            frame = found.start()
        if marker not in _WITHOUT_LENGTH:
            position += max(2, int.from_bytes(data[position : position + 2], "big"))
    return Headers(frame, -1)


def shape_of(data: bytes) -> Shape:
    """The size and completeness of a JPEG: whether an end marker follows the start of its scan.

    Bytes after the end are allowed: phones append data of their own.

    Args:
        data: the file.
    """
    frame, scan = headers_of(data)
    width, height = size_in(b"\xff\xd8" + data[frame : frame + 10]) if frame > 0 else (0, 0)
    return Shape(width, height, 1, scan > 0 and data.rfind(b"\xff\xd9", scan) > 0)


def is_kept_whole(data: bytes) -> bool:
    """Whether a decoder holds all of the picture, however small it is asked to give it.

    That is so where more than one scan makes up the picture: in progressive files, and in those
    whose first scan lacks some of the colours.

    Args:
        data: the file, or its beginning.
    """
    frame, scan = headers_of(data)
    if min(frame, scan) < 0:
        return False
    return (
        data[frame + 1] in _PROGRESSIVE or data[scan + 4 : scan + 5] < data[frame + 9 : frame + 10]
    )
