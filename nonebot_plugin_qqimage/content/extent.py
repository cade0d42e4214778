"""How much of an image the bytes hold: its frames, and whether its end is there."""

from collections.abc import Iterator
from itertools import islice

_PNG_END = b"IEND\xaeB\x60\x82"
_MAX_JPEG_SEGMENTS = 4096
"""Segments before the scan of a JPEG; real ones have some dozens, and a hostile one is all of them.
"""
_SEQUENCE_BRANDS = (b"avis", b"msf1", b"hevc", b"hevx")
_MAX_BLOCKS = 1 << 20
"""Blocks of a GIF or chunks of a WebP looked at; a hostile one has one for every two bytes."""


def extent(data: bytes, mime: str) -> tuple[int, bool]:
    """The number of frames, and whether the image is complete, as far as its format shows it.

    Args:
        data: the bytes.
        mime: their type, such as ``image/png``; another one than the known has one frame.
    """
    if mime == "image/png":
        return _png_frames(data), data.rfind(_PNG_END) > 0
    if mime == "image/jpeg":
        return 1, _jpeg_is_complete(data)
    if mime == "image/gif":
        return _gif_extent(data)
    if mime == "image/webp":
        complete = int.from_bytes(data[4:8], "little") + 8 <= len(data)
        chunks = islice(_riff_chunks(data), _MAX_BLOCKS)
        return sum(name == b"ANMF" for name, _ in chunks) or 1, complete
    if mime == "image/bmp":
        return 1, int.from_bytes(data[2:6], "little") <= len(data)
    if mime in ("image/avif", "image/heic"):
        return _boxes_extent(data)
    return 1, True


def _png_frames(data: bytes) -> int:
    control = data.find(b"acTL", 8, data.find(b"IDAT"))
    return int.from_bytes(data[control + 4 : control + 8], "big") or 1 if control > 0 else 1


def _jpeg_is_complete(data: bytes) -> bool:
    """Whether an end marker follows the start of the scan.

    The segments before the scan are passed one by one, because a thumbnail among them has an end
    marker of its own. Bytes after the end are allowed: phones append data of their own.
    """
    position = 2
    for _ in range(_MAX_JPEG_SEGMENTS):
        if data[position : position + 1] != b"\xff":
            break
        marker = data[position + 1 : position + 2]
        if marker == b"\xff":  # padding
            position += 1
        elif marker == b"\xda":
            return data.rfind(b"\xff\xd9", position) > 0
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return False


def _gif_extent(data: bytes) -> tuple[int, bool]:
    position = 13 + _gif_colors(data[10]) if len(data) > 10 else len(data)
    frames = blocks = 0
    while position < len(data) and blocks < _MAX_BLOCKS:
        block = data[position]
        if block == 0x3B:
            return max(frames, 1), True
        if block == 0x2C and position + 9 < len(data):
            frames += 1
            position += 11 + _gif_colors(data[position + 9])
        elif block == 0x21:
            position += 2
        else:
            break
        while position < len(data) and data[position] and blocks < _MAX_BLOCKS:
            position += 1 + data[position]
            blocks += 1
        position += 1
        blocks += 1
    return max(frames, 1), False


def _gif_colors(flags: int) -> int:
    """The bytes of the colour table that these flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    position = 12
    while position + 8 <= len(data):
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        yield data[position : position + 4], size
        position += 8 + size + size % 2


def _boxes_extent(data: bytes) -> tuple[int, bool]:
    """Frames and completeness of AVIF and HEIC, which need their description and their data."""
    frames, position = 1, 0
    missing = {b"mdat", b"moov" if data[8:12] in _SEQUENCE_BRANDS else b"meta"}
    for _ in range(_MAX_BLOCKS):
        if position + 8 > len(data):
            break
        kind, size = data[position + 4 : position + 8], _box_size(data, position)
        if size < 8 or position + size > len(data):
            # what is appended to an image need not be boxes
            return frames, not missing and kind not in (b"meta", b"moov", b"mdat")
        if kind == b"moov":
            counts = data.find(b"stsz", position, position + size)
            if counts > 0:
                frames = int.from_bytes(data[counts + 12 : counts + 16], "big") or 1
        missing.discard(kind)
        position += size
    return frames, not missing


def _box_size(data: bytes, position: int) -> int:
    size = int.from_bytes(data[position : position + 4], "big")
    if size == 0:  # "until the end of the file"
        return len(data) - position
    if size == 1:
        return int.from_bytes(data[position + 8 : position + 16], "big")
    return size
