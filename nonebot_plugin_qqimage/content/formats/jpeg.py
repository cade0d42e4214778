"""JPEG: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, read as tolerantly as libjpeg does."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from .shape import MAX_PROFILE, Part, Shape, give_way, size_in, without

_MARKER = re.compile(rb"\xff[\x01-\xfe]")
"""Anything else between two segments is skipped: stray bytes, and padding of 0xff."""
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
_MAX_SEGMENTS = 1 << 16
"""Segments before the scan; photos with depth maps have some dozens of 64 KB."""


_METADATA = {*range(0x02, 0xC0), *range(0xE0, 0xFF)}
"""Markers of segments that decoders do without, but for the first of each of those below."""
_ONCE = {0xE0: b"JFIF", 0xE1: b"Exif\0", 0xEE: b"Adobe"}
_PROFILE = b"ICC_PROFILE\0"


class Headers(NamedTuple):
    """Where the headers of a JPEG stand."""

    frame: int
    """Where the frame header begins, which has the size; -1 without one."""
    scan: int
    """Where the first scan header begins; -1 without one."""


class _Segment(NamedTuple):
    marker: int
    start: int
    """Where the marker begins."""
    end: int


def _segments(data: bytes) -> Iterator[_Segment]:
    """What stands before the first scan, and the header of that; stray bytes are passed over."""
    position = 2
    for number in range(1, _MAX_SEGMENTS):
        give_way(number)
        found = _MARKER.search(data, position)
        if found is None:
            return
        marker, position = data[found.start() + 1], found.end()
        if marker not in _WITHOUT_LENGTH:
            position += max(2, int.from_bytes(data[position : position + 2], "big"))
        yield _Segment(marker, found.start(), position)
        if marker in (0xDA, 0xD9):
            return


def headers_of(data: bytes) -> Headers:
    """Find the headers, past every thumbnail among the segments before them.

    Args:
        data: the file, or its beginning.
    """
    frame = -1
    for marker, start, _ in _segments(data):
        if marker == 0xDA:
            return Headers(frame, start)
        if marker in _FRAMES and frame < 0:
            frame = start
    return Headers(frame, -1)


def needed(data: bytes) -> Iterator[Part]:
    """The parts of a JPEG that decide what is seen: tables, frames, scans, turning and colours.

    Args:
        data: the file.
    """
    segments = [*_segments(data)]
    profile = [each for each in segments if _begins(data, each, 0xE2, _PROFILE)]
    with_profile = sum(each.end - each.start for each in profile) <= MAX_PROFILE
    kept: list[_Segment] = []
    once = dict(_ONCE)
    for each in segments:
        if each.marker in once and _begins(data, each, each.marker, once[each.marker]):
            del once[each.marker]
        elif each.marker in _METADATA:
            if not with_profile or not _begins(data, each, 0xE2, _PROFILE):
                continue
        elif each.marker in _WITHOUT_LENGTH:
            continue
        kept.append(each)
    starts = [*(each.start for each in kept), segments[-1].end if segments else 2]
    ends = [2, *(each.end for each in kept)]
    return without(data, zip(ends, starts, strict=True))


def _begins(data: bytes, segment: _Segment, marker: int, start: bytes) -> bool:
    return segment.marker == marker and data.startswith(start, segment.start + 4)


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
