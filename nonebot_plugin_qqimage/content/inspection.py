"""What some bytes are: the type of image, its pixels, frames and digests; refuses what is none.

Nothing is decoded. All functions are pure and take milliseconds for large images: run them in a
thread.
"""

import hashlib
import io
import json
import re
from typing import cast

import filetype  # pyright: ignore[reportMissingTypeStubs]
import imagesize  # pyright: ignore[reportMissingTypeStubs]

from ..errors import AttemptFailed, Cause
from ..language import Text
from .extent import extent
from .info import EXTENSIONS, ImageInfo

_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis"), "image/heic"),
    **dict.fromkeys((b"mif1", b"msf1"), "image/heic"),
}
_HEADER = 1024 * 1024
"""Bytes shown to the header parser: hostile headers make it slow in proportion to them."""
_TINY = 64 * 1024


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
        detail = Text("{size} bytes, more than the {limit} allowed", size=len(data), limit=max_size)
        raise AttemptFailed(Cause.TOO_LARGE, detail)
    mime = _mime(data)
    if mime is None:
        raise _not_an_image(data)
    width, height = _dimensions(data, mime)
    if width < 1 or height < 1:
        detail = Text("{mime} of {size} bytes without a usable header", mime=mime, size=len(data))
        raise AttemptFailed(Cause.REJECTED, detail)
    if width * height > max_pixels:
        detail = Text(
            "{width} × {height} pixels, more than the {limit} allowed",
            width=width,
            height=height,
            limit=max_pixels,
        )
        raise AttemptFailed(Cause.TOO_LARGE, detail)
    frames, complete = extent(data, mime)
    if frames > max_frames:
        detail = Text(
            "{frames} frames, more than the {limit} allowed", frames=frames, limit=max_frames
        )
        raise AttemptFailed(Cause.TOO_LARGE, detail)
    true_md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if not complete and true_md5 != md5:
        detail = Text("{mime} that ends early, after {size} bytes", mime=mime, size=len(data))
        raise AttemptFailed(Cause.REJECTED, detail)
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
    return mime if mime in EXTENSIONS else None


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
        return AttemptFailed(Cause.REJECTED, Text("an empty body"))
    start = data[:_TINY].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in (b"{", b"["):
        code = re.search(rb'"retcode"\s*:\s*(-?\d+)', start)
        text = start[:200].decode("utf-8", "replace")
        if code and code[1] in (b"-5503007", b"-5503010"):
            return AttemptFailed(Cause.EXPIRED, text)
        detail = Text("JSON instead of an image: {start}", start=text)
        return AttemptFailed(Cause.REJECTED, detail)
    if start[:1] == b"<":
        detail = Text("HTML instead of an image: {start}", start=_excerpt(start))
        return AttemptFailed(Cause.REJECTED, detail)
    detail = Text(
        "{size} bytes that are no known image: {start}", size=len(data), start=_excerpt(start)
    )
    return AttemptFailed(Cause.REJECTED, detail)


def _excerpt(data: bytes) -> str:
    text = data[:60].decode("utf-8", "replace")
    return json.dumps(text if text.isprintable() else data[:16].hex(" "), ensure_ascii=False)
