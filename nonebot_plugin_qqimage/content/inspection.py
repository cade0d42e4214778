"""Recognising images: from bytes to the type, size, frames and digests, or a reason to refuse them.

Nothing is decoded, and nothing but the bytes is looked at. It takes milliseconds for large images,
so it belongs in a thread.
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
_START = 64 * 1024
"""Bytes looked at to tell the type of a file, or what an error page says."""


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
        raise AttemptFailed(
            Cause.TOO_LARGE,
            Text("{size} bytes, more than the {limit} allowed", size=len(data), limit=max_size),
        )
    mime = _mime(data)
    if mime is None:
        raise _not_an_image(data)
    width, height = _dimensions(data, mime)
    if width < 1 or height < 1:
        raise AttemptFailed(
            Cause.REJECTED,
            Text("{mime} of {size} bytes without a usable header", mime=mime, size=len(data)),
        )
    if width * height > max_pixels:
        raise AttemptFailed(
            Cause.TOO_LARGE,
            Text(
                "{width} × {height} pixels, more than the {limit} allowed",
                width=width,
                height=height,
                limit=max_pixels,
            ),
        )
    frames, complete = extent(data, mime)
    if frames > max_frames:
        raise AttemptFailed(
            Cause.TOO_LARGE,
            Text("{frames} frames, more than the {limit} allowed", frames=frames, limit=max_frames),
        )
    true_md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if not complete and true_md5 != md5:
        raise AttemptFailed(
            Cause.REJECTED,
            Text("{mime} that ends early, after {size} bytes", mime=mime, size=len(data)),
        )
    return ImageInfo(
        sha256=hashlib.sha256(data).hexdigest(),
        md5=true_md5,
        mime=mime,
        size=len(data),
        width=width,
        height=height,
        frames=frames,
        sha1=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
    )


def _mime(data: bytes) -> str | None:
    if data[4:8] == b"ftyp":  # the libraries miss animated AVIF and some HEIC brands
        end = min(int.from_bytes(data[:4], "big"), 256)
        others = {data[at : at + 4] for at in range(16, end, 4)}
        if data[8:12] in (b"mif1", b"msf1") and others & {b"avif", b"avis"}:
            return "image/avif"
        return _BRANDS.get(data[8:12])
    kind = filetype.image_match(data[:_START])  # pyright: ignore[reportUnknownMemberType]
    if kind is None:
        return None
    mime = cast(str, kind.mime).replace("apng", "png")  # whoever reads PNG reads animated PNG
    return mime if mime in EXTENSIONS else None


def _dimensions(data: bytes, mime: str) -> tuple[int, int]:
    # the directory of a TIFF may stand at its end
    header = data if mime == "image/tiff" else data[:_HEADER]
    if mime in ("image/avif", "image/heic"):
        # the parser expects the box that turns a picture to be longer, and gives up
        header = header.replace(b"irot", b"free")
    try:
        # as stored, which is also what most decoders say; turning by EXIF is left to the viewer
        return imagesize.get(  # pyright: ignore[reportUnknownMemberType]
            io.BytesIO(header), exif_rotation=False
        )
    except Exception:  # noqa: BLE001  whatever a hostile header makes the parser raise
        return -1, -1


def _not_an_image(data: bytes) -> AttemptFailed:
    if not data:
        return AttemptFailed(Cause.REJECTED, Text("an empty body"))
    start = data[:_START].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in (b"{", b"["):
        code = re.search(rb'"retcode"\s*:\s*(-?\d+)', start)
        text = start[:200].decode("utf-8", "replace")
        if code and code[1] in (b"-5503007", b"-5503010"):
            return AttemptFailed(Cause.EXPIRED, text)
        return AttemptFailed(Cause.REJECTED, Text("JSON instead of an image: {text}", text=text))
    if start[:1] == b"<":
        return AttemptFailed(
            Cause.REJECTED, Text("HTML instead of an image: {text}", text=_excerpt(start))
        )
    return AttemptFailed(
        Cause.REJECTED,
        Text("{size} bytes that are no known image: {text}", size=len(data), text=_excerpt(start)),
    )


def _excerpt(data: bytes) -> str:
    text = data[:60].decode("utf-8", "replace")
    return json.dumps(text if text.isprintable() else data[:16].hex(" "), ensure_ascii=False)
