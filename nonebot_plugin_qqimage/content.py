"""What some bytes are: the type of image, its pixels, frames and digests; refuses what is none.

Nothing is decoded. All functions are pure and take milliseconds for large images: run them in a
thread.
"""

import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import cast

import filetype  # pyright: ignore[reportMissingTypeStubs]
import imagesize  # pyright: ignore[reportMissingTypeStubs]

from .errors import AttemptFailed, Cause

_EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/bmp": "bmp",
    "image/tiff": "tif",
    "image/avif": "avif",
    "image/heic": "heic",
}
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis"), "image/heic"),
    **dict.fromkeys((b"mif1", b"msf1"), "image/heic"),
}
_HEADER = 1024 * 1024
"""Bytes shown to the header parser: hostile headers make it slow in proportion to them."""
_TINY = 64 * 1024
_PNG_END = b"IEND\xaeB\x60\x82"
_MAX_JPEG_SEGMENTS = 4096
_MAX_BLOCKS = 1 << 20
"""Blocks of a GIF or chunks of a WebP looked at: those of a hostile one are two bytes each."""
_SEQUENCE_BRANDS = (b"avis", b"msf1", b"hevc", b"hevx")


@dataclass(frozen=True)
class ImageInfo:
    """Facts about an image, read from its bytes."""

    sha256: str
    """SHA-256 of the bytes, lower-case hex: the image's identity in the store."""
    md5: str
    """MD5 of the bytes, lower-case hex: the name QQ usually gives it."""
    mime: str
    """Its type by its bytes, such as ``image/png``; names and headers are not believed."""
    size: int
    """Bytes."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    frames: int
    """Frames; more than 1 for an animation."""

    @property
    def uri(self) -> str:
        """A stable text handle, ``qqimage:<sha256>``, for histories and databases."""
        return f"qqimage:{self.sha256}"

    @property
    def extension(self) -> str:
        """The usual file name extension for its type, without the dot."""
        return _EXTENSIONS.get(self.mime, "bin")  # no type of ours: a row of a damaged index


def inspect(
    data: bytes, *, max_size: int, max_pixels: int, max_frames: int = 1 << 20, md5: str = ""
) -> ImageInfo:
    """Recognise an image.

    Args:
        data: the bytes.
        max_size: the largest acceptable image, in bytes.
        max_pixels: the largest acceptable frame, in pixels.
        max_frames: the longest acceptable animation, in frames.
        md5: the expected MD5, lower-case hex. Bytes that have it are complete as far as anyone can
            know, so they are not refused for lacking the end that their format prescribes.

    Raises:
        AttemptFailed: the bytes are no image, are cut short, or are too large. An error body of
            QQ's image host counts as `Cause.EXPIRED`.
    """
    if len(data) > max_size:
        raise AttemptFailed(Cause.TOO_LARGE, f"{len(data)} bytes, more than the {max_size} allowed")
    mime = _mime(data)
    if mime is None:
        raise _not_an_image(data)
    width, height = _dimensions(data, mime)
    if width < 1 or height < 1:
        raise AttemptFailed(Cause.REJECTED, f"{mime} of {len(data)} bytes without a usable header")
    if width * height > max_pixels:
        raise AttemptFailed(
            Cause.TOO_LARGE, f"{width} × {height} pixels, more than the {max_pixels} allowed"
        )
    frames, complete = _extent(data, mime)
    if frames > max_frames:
        raise AttemptFailed(Cause.TOO_LARGE, f"{frames} frames, more than the {max_frames} allowed")
    true_md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if not complete and true_md5 != md5:
        raise AttemptFailed(Cause.REJECTED, f"{mime} that ends early, after {len(data)} bytes")
    return ImageInfo(
        sha256=hashlib.sha256(data).hexdigest(),
        md5=true_md5,
        mime=mime,
        size=len(data),
        width=width,
        height=height,
        frames=frames,
    )


def _mime(data: bytes) -> str | None:
    if data[4:8] == b"ftyp":  # the libraries miss animated AVIF and some HEIC brands
        end = min(int.from_bytes(data[:4], "big"), 256)
        others = {data[at : at + 4] for at in range(16, end, 4)}
        if data[8:12] in (b"mif1", b"msf1") and others & {b"avif", b"avis"}:
            return "image/avif"
        return _BRANDS.get(data[8:12])
    kind = filetype.image_match(data[:_TINY])  # pyright: ignore[reportUnknownMemberType]
    if kind is None:
        return None
    mime = cast(str, kind.mime).replace("apng", "png")  # every reader of one reads the other
    return mime if mime in _EXTENSIONS else None


def _dimensions(data: bytes, mime: str) -> tuple[int, int]:
    # the directory of a TIFF may stand at its end
    header = data if mime == "image/tiff" else data[:_HEADER]
    if mime in ("image/avif", "image/heic"):
        # the parser takes the box that turns a picture for a longer one, and gives up
        header = header.replace(b"irot", b"free")
    try:
        # as stored, like most decoders say it: turning by EXIF is left to who shows it
        return imagesize.get(  # pyright: ignore[reportUnknownMemberType]
            io.BytesIO(header), exif_rotation=False
        )
    except Exception:  # noqa: BLE001  whatever a hostile header makes the parser raise
        return -1, -1


def _not_an_image(data: bytes) -> AttemptFailed:
    if not data:
        return AttemptFailed(Cause.REJECTED, "an empty body")
    start = data[:_TINY].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in (b"{", b"["):
        code = re.search(rb'"retcode"\s*:\s*(-?\d+)', start)
        text = start[:200].decode("utf-8", "replace")
        if code and code[1] in (b"-5503007", b"-5503010"):
            return AttemptFailed(Cause.EXPIRED, text)
        return AttemptFailed(Cause.REJECTED, f"JSON instead of an image: {text}")
    if start[:1] == b"<":
        return AttemptFailed(Cause.REJECTED, f"HTML instead of an image: {_excerpt(start)}")
    return AttemptFailed(
        Cause.REJECTED, f"{len(data)} bytes that are no known image: {_excerpt(start)}"
    )


def _excerpt(data: bytes) -> str:
    text = data[:60].decode("utf-8", "replace")
    return json.dumps(text if text.isprintable() else data[:16].hex(" "), ensure_ascii=False)


def _extent(data: bytes, mime: str) -> tuple[int, bool]:
    """How many frames there are, and whether the data reaches the end that its format shows."""
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

    A thumbnail in the metadata has an end marker of its own, hence the walk; bytes after the
    end are common (phones append data) and allowed.
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
    """The same of AVIF and HEIC: both the description and the data must be there, and whole."""
    frames, position = 1, 0
    missing = {b"mdat", b"moov" if data[8:12] in _SEQUENCE_BRANDS else b"meta"}
    for _ in range(_MAX_BLOCKS):
        if position + 8 > len(data):
            break
        kind, size = data[position + 4 : position + 8], _box_size(data, position)
        if size < 8 or position + size > len(data):
            # anything may have been appended, and it need not be boxes
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
