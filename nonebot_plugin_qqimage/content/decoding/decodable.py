"""Files as decoders are given them: without metadata, which Pillow copies up to four times.

What stays of it says how a picture is to be turned and what its colours are, within bounds.
"""

import io
from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import IO, cast

from ..formats import gif, jpeg, png, tiff, webp
from ..formats.heif import heif
from ..formats.shape import Part

_NEEDED: dict[str, Callable[[bytes], Iterable[Part]]] = {
    "image/png": png.needed,
    "image/jpeg": jpeg.needed,
    "image/gif": gif.needed,
    "image/webp": webp.needed,
    "image/tiff": tiff.needed,
    "image/avif": heif.needed,
    "image/heic": heif.needed,
}
"""What a decoder needs of a file of each type; the other types have no metadata."""


def decodable(data: bytes, mime: str) -> IO[bytes]:
    """A file for a decoder to read, which shares the memory of the bytes.

    Args:
        data: the picture's bytes.
        mime: their type.
    """
    parts = _parts(data, mime)
    return cast("IO[bytes]", _Joined(parts)) if parts else io.BytesIO(data)


def copied(data: bytes, mime: str) -> int:
    """Bytes of a file that its decoder reads into memory at once, beside those that are there.

    Args:
        data: the picture's bytes.
        mime: their type.
    """
    return sum(map(len, _parts(data, mime))) if mime == "image/avif" else 0


def _parts(data: bytes, mime: str) -> list[Part]:
    """The parts of a file that its decoder needs; none where it is given the whole file."""
    parts = [*_NEEDED[mime](data)] if mime in _NEEDED else []
    whole = bool(parts) and sum(map(len, parts)) == len(data) == len(parts[0])
    return [] if whole else parts


class _Joined:
    """A file made of parts, which are copied only as they are read.

    Args:
        parts: the contents, one behind the other.
    """

    def __init__(self, parts: list[Part]) -> None:
        self._parts = parts
        self._ends = [*accumulate(map(len, parts))]
        self._position = 0

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes, at most so many; all that are left for a negative number."""
        length, start = self._ends[-1], self._position
        end = length if size is None or size < 0 else min(length, start + size)
        found: list[Part] = []
        number = bisect_right(self._ends, start)
        while start < end:
            begin = self._ends[number] - len(self._parts[number])
            found.append(self._parts[number][start - begin : end - begin])
            start += len(found[-1])
            number += 1
        self._position = start
        return b"".join(found)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position, which is told."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._ends[-1]}
        self._position = max(0, origin[whence] + offset)
        return self._position

    def tell(self) -> int:
        """The position of the next byte to be read."""
        return self._position

    def close(self) -> None:
        """Let go of the memory."""
        self._parts, self._ends = [memoryview(b"")], [0]
