"""BMP, of every version of Windows and OS/2: their headers differ in length and in what they say.

https://learn.microsoft.com/en-us/windows/win32/gdi/bitmap-header-types
"""

from .shape import Shape

_FILE_HEADER = 14
_CORE = 12
"""The length of the first header, with sides of 16 bits."""
_OS2_2 = 64
"""The length of a header with compressions of its own under the numbers of Windows."""
_RAW, _BITFIELDS, _ALPHA_BITFIELDS = 0, 3, 6
_RLE_END = b"\0\1"


def shape_of(data: bytes) -> Shape:
    """The size and completeness of a BMP, whatever it says about the size of the file.

    Args:
        data: the file.
    """
    header = _number(data, 14, 4)
    if header == _CORE:
        width, height, bits = _number(data, 18, 2), _number(data, 20, 2), _number(data, 24, 2)
        compression = packed = colours = 0
    else:
        width, height = _number(data, 18, 4, signed=True), abs(_number(data, 22, 4, signed=True))
        bits = _number(data, 28, 2)
        compression, packed, colours = (
            _number(data, at, 4) if header >= at - _FILE_HEADER + 4 else 0 for at in (30, 34, 46)
        )
    announced, start = _number(data, 2, 4), _number(data, 10, 4)
    if start in (0, _FILE_HEADER + header):  # which some write although a palette is in between
        palette = (colours or 1 << bits) * (3 if header == _CORE else 4) if bits <= 8 else 0
        start = _FILE_HEADER + header + palette
    if compression in (_RAW, _BITFIELDS, _ALPHA_BITFIELDS) and (compression, header) != (3, _OS2_2):
        row = (width * bits + 31) // 32 * 4
        # the last row may lack what fills it up, unless the file is said to be longer
        spare = row - (width * bits + 7) // 8 if announced == len(data) else 0
        complete = start + row * height - spare <= len(data)
    elif packed:
        complete = start + packed <= len(data)
    else:
        complete = start < announced <= len(data) or data.endswith(_RLE_END)
    return Shape(width, height, 1, complete)


def _number(data: bytes, position: int, size: int, *, signed: bool = False) -> int:
    return int.from_bytes(data[position : position + size], "little", signed=signed)
