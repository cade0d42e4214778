"""Encoding a picture within bounds: quality goes down first, then the size."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..bounds import Bounds
from ..decoding.pixels import MAX_WRITTEN, on_white, resized, size_within

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_QUALITIES = (90, 75, 55)
"""Of JPEG and WebP, the best first."""
_PER_SIDE = 0.6
"""How the sides follow from the bytes: a photo with half the pixels has more than half of them."""
_HOPELESS = 3.0
"""How many times too large a picture is where only the lowest quality may help."""


def encode(still: "Picture", bounds: Bounds, *, lossless: bool) -> tuple[str, bytes] | None:
    """The MIME type and bytes of the best picture within the bounds; None when there is none.

    Args:
        still: a picture of `colours.on_screen`.
        bounds: what is acceptable.
        lossless: whether PNG is preferred, as for what was without loss before.
    """
    trials = dict.fromkeys(_trials(bounds.writable, still.mode == "RGBA", lossless))
    size = size_within(still.size, bounds.max_pixels or MAX_WRITTEN)
    while True:
        picture = resized(still, size)
        excess, lost = 0.0, False
        for kind, quality in trials:
            if lost and quality != _QUALITIES[-1]:
                continue
            data = _written(picture, kind, quality)
            if bounds.allow(kind, len(data)):
                return f"image/{kind}", data
            excess = len(data) * 4 / 3 / (bounds.max_bytes or 1)
            lost = quality > 0 and excess > _HOPELESS
        if size == (1, 1):
            return None
        scale = max(0.1, min(0.9, 0.95 / excess**_PER_SIDE))
        size = max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def _trials(
    formats: tuple[str, ...], transparent: bool, lossless: bool
) -> Iterator[tuple[str, int]]:
    """Types and qualities to try, the best first; the quality is 0 where a type has none."""
    if "png" in formats and (transparent or lossless):
        yield "png", 0
    # what is white on transparent would vanish on white: rather a smaller PNG than a JPEG
    order = ("webp", "png", "jpeg", "gif") if transparent else ("jpeg", "webp", "png", "gif")
    kind = next(kind for kind in order if kind in formats)
    for quality in _QUALITIES if kind in ("jpeg", "webp") else (0,):
        yield kind, quality


def _written(picture: "Picture", kind: str, quality: int) -> bytes:
    options: dict[str, Any] = {"quality": quality} if quality else {}
    if kind == "webp":
        options["method"] = 2  # half the time of Pillow's default, for a few more bytes
    if kind in ("jpeg", "gif"):
        picture = on_white(picture)
    if kind == "gif":
        picture = picture.quantize(256)
    picture.info = {}  # comments, colour profiles and locations are private
    buffer = io.BytesIO()
    picture.save(buffer, kind.upper(), **options)
    return buffer.getvalue()
