"""Recognising images: from bytes to the type, size, frames and digests, or a reason to refuse them.

Nothing is decoded, and nothing but the bytes is looked at. It takes milliseconds for large images,
so it belongs in a thread.
"""

import hashlib
from collections.abc import Callable

from ..config import ScopedConfig
from ..errors import AttemptFailed, Cause
from ..language import Text
from .formats import bmp, gif, jpeg, png, tiff, webp
from .formats.heif import heif
from .formats.shape import Shape
from .formats.signatures import image_type
from .info import ImageInfo
from .refusals import not_an_image

_READERS: dict[str, Callable[[bytes], Shape]] = {
    "image/png": png.shape_of,
    "image/jpeg": jpeg.shape_of,
    "image/gif": gif.shape_of,
    "image/webp": webp.shape_of,
    "image/bmp": bmp.shape_of,
    "image/tiff": tiff.shape_of,
    "image/avif": heif.shape_of,
    "image/heic": heif.shape_of,
}


def inspect_within(
    limits: ScopedConfig, data: bytes, *, md5: str = "", sha1: str = ""
) -> ImageInfo:
    """Recognise an image that is no larger than the settings allow; see `inspect` for the rest.

    Args:
        limits: the settings.
        data: the bytes.
        md5: the expected MD5, lower-case hex; empty where none is known.
        sha1: the expected SHA-1, lower-case hex; empty where none is known.

    Raises:
        AttemptFailed: the bytes are no image, are cut short, or are too large.
    """
    return inspect(
        data,
        max_size=limits.max_image_size,
        max_pixels=limits.max_pixels,
        max_frames=limits.max_frames,
        md5=md5,
        sha1=sha1,
    )


def inspect(
    data: bytes,
    *,
    max_size: int,
    max_pixels: int,
    max_frames: int = 1 << 20,
    md5: str = "",
    sha1: str = "",
) -> ImageInfo:
    """Recognise an image.

    Args:
        data: the bytes.
        max_size: the largest acceptable image, in bytes.
        max_pixels: the largest acceptable frame, in pixels.
        max_frames: the longest acceptable animation, in frames.
        md5: the expected MD5, lower-case hex; empty where none is known. Bytes that have it are
            what was sent, so they are not refused for lacking the end that their format prescribes,
            or for a header whose size cannot be read (it is 0 × 0 then).
        sha1: the expected SHA-1, lower-case hex, which proves as much; empty where none is known.

    Raises:
        AttemptFailed: the bytes are no image, are cut short, or are too large. An error body of
            QQ's image host counts as `Cause.EXPIRED`.
    """
    if len(data) > max_size:
        raise AttemptFailed(
            Cause.TOO_LARGE,
            Text("{size} bytes, more than the {limit} allowed", size=len(data), limit=max_size),
        )
    mime = image_type(data)
    if mime is None:
        raise not_an_image(data)
    width, height, frames, complete = _READERS[mime](data)
    true_md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    readable = width > 0 and height > 0
    true_sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    proven = md5 == true_md5 or sha1 == true_sha1
    if not readable and proven:
        width = height = 0
    elif not readable:
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
    if frames > max_frames:
        raise AttemptFailed(
            Cause.TOO_LARGE,
            Text("{frames} frames, more than the {limit} allowed", frames=frames, limit=max_frames),
        )
    if not complete and not proven:
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
        sha1=true_sha1,
    )
