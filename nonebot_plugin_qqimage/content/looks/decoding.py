"""Pictures as they are looked at: small, upright, on white. Needs Pillow, and blocks.

What is transparent is put on white, which is what QQ shows. What is turned by EXIF is turned, or a
phone's photo would never meet its own re-encoding.
"""

from typing import TYPE_CHECKING, NamedTuple

from ..decoding.decoding import first_frame, frames, open_picture
from ..decoding.pillow import pillow
from ..decoding.pixels import on_white
from ..info import ImageInfo
from .parts import is_flat

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


class Size(NamedTuple):
    """How much of a picture is looked at."""

    pixels: int
    """Those that it has at most."""
    mode: str
    """Pillow's name of what they are: ``L`` for grey, or ``RGB``."""


SMALL = Size(256 * 256, "L")
"""For hashes, and the second look."""
LARGE = Size(512 * 512, "RGB")
"""For small words: of a hundredth of the height, as people write them, in any colour."""
_MAX_DECODED = 16_000_000
"""Pixels to decode, which may take 200 MB: nobody waits for hashes that are made in advance. Only a
JPEG can be decoded small."""
_FRAMES = 10
"""Frames of an animation of which the first that is not flat is hashed: many begin with white."""
_MAX_PASSED = 50_000_000
"""Pixels of all these frames together."""
_WITH_PALETTE = "image/gif", "image/png"
"""Types of pictures that may have few colours only."""


def small(data: bytes, info: ImageInfo, max_decoded: int, size: Size = SMALL) -> "Picture":
    """The picture, of a bounded size; of an animation a frame.

    If it is in colour, its ``info`` holds under ``palette`` the few colours that it was stored
    with, as bytes of red, green and blue; none where it has no palette.

    Args:
        data: its bytes.
        info: the facts about them.
        max_decoded: pixels that may be decoded.
        size: how much of it.

    Raises:
        AttemptFailed: Pillow cannot read it, or decoding it would cost too much.
        MissingExtra: Pillow is not installed.
    """
    with pillow(info):
        found = _small(data, info, min(max_decoded, _MAX_DECODED), size)
        found.info = {"palette": _palette(data, info)} if size.mode == "RGB" else {}
    return found


def _palette(data: bytes, info: ImageInfo) -> bytes:
    if info.mime not in _WITH_PALETTE:
        return b""
    picture = open_picture(data, info)  # which decodes nothing yet
    if picture.mode != "P" or picture.palette is None:
        return b""
    mode, colours = picture.palette.getdata()  # `tobytes` fails before Pillow 13
    return bytes(colours) if mode == "RGB" else b""


def _small(data: bytes, info: ImageInfo, max_decoded: int, size: Size) -> "Picture":
    first = on_white(first_frame(data, info, size.pixels, max_decoded)).convert(size.mode)
    count = min(info.frames, _FRAMES, _MAX_PASSED // max(1, info.width * info.height))
    if count < 2 or not is_flat(first.convert("L")):
        return first
    later = frames(open_picture(data, info), info, range(1, count), size.pixels, max_decoded)
    converted = (frame.convert(size.mode) for _, frame in later)
    return next((frame for frame in converted if not is_flat(frame.convert("L"))), first)
