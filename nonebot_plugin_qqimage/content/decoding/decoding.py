"""Decoding pictures with Pillow, within limits: hostile ones may not cost memory or minutes."""

import contextlib
import math
import sys
from collections.abc import Collection, Generator, Iterator
from typing import TYPE_CHECKING, Any

from ...errors import AttemptFailed, Cause
from ...language import Text
from ..bounds import DECODERS
from ..formats import jpeg, png
from ..info import ImageInfo
from .colours import on_screen, scalable
from .decodable import copied, decodable
from .pixels import MAX_WRITTEN, on_white, reduced, resized, size_within

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_MAX_SCANNED = 10_000_000_000
"""Pixels times scans of a JPEG, at a nanosecond each. Real ones have about ten scans, and what is
appended to a phone's photo can look like hundreds."""
_BYTES_OF_PIXEL = 12
"""Memory that decoding takes for each pixel, at most, as the promises say."""
_SHEET_FRAMES = 9
"""Frames on a contact sheet."""
_HELD_FRAMES = 8
"""Pictures that count for an animation of which more than the first frame is decoded: the decoders
hold the frames before, and what is to be put back after them."""
_CELL = 512 * 512
"""Pixels of one frame on a contact sheet."""
_GAP = 4
"""Pixels between the frames of a contact sheet."""
_MAX_FRAMES_PASSED = 1000
"""Frames to decode for a contact sheet; later ones are not on it."""
_MAX_PIXELS_PASSED = 200_000_000
"""Pixels of all frames together to decode for a contact sheet; a few seconds of work."""
_MIXED = {"RGBA": "RGBa", "LA": "La"}
_UNMIXED = {"RGBa": "RGBA", "La": "LA"}
"""Modes whose colours are mixed with what is transparent, as they have to be for resizing."""
_ORIENTATION = 0x0112
"""The number of the EXIF tag."""
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def kind_of(info: ImageInfo) -> str:
    """The type of a picture, as in `bounds.DECODERS`."""
    return info.mime.removeprefix("image/")


def open_picture(data: bytes, info: ImageInfo) -> "Picture":
    """A picture whose header is read, and whose pixels are not decoded yet.

    Raises:
        AttemptFailed: Pillow cannot read it, or decoding it would cost too much.
    """
    import PIL.Image

    decoder = DECODERS[kind_of(info)]
    if decoder not in PIL.Image.OPEN:
        PIL.Image.init()
    if decoder not in PIL.Image.OPEN:
        raise AttemptFailed(
            Cause.FAILED,
            Text(
                "Pillow {version} cannot decode {mime} without a plugin of its own",
                version=PIL.__version__,
                mime=info.mime,
            ),
        )
    scans = data.count(b"\xff\xda") if decoder == "JPEG" else 1
    if scans * info.width * info.height > _MAX_SCANNED:
        raise AttemptFailed(
            Cause.FAILED, Text("a JPEG of {count} scans, which would take too long", count=scans)
        )
    # no other decoder may try: what it costs them to read hostile bytes is not bounded
    try:
        with _one_thread() if decoder == "AVIF" else contextlib.nullcontext():
            picture = PIL.Image.open(decodable(data, info.mime), formats=(decoder,))
    except PIL.UnidentifiedImageError:
        raise AttemptFailed(
            Cause.FAILED, Text("Pillow cannot read this {mime}", mime=info.mime)
        ) from None
    _check_size(picture, info)
    if decoder == "PNG" and "transparency" in picture.info:
        clear = png.eight_bits(data, picture.mode, picture.info["transparency"])
        picture.info["transparency"] = clear
    return picture


@contextlib.contextmanager
def _one_thread() -> Generator[None, None, None]:
    """Has Pillow decode AVIF in one thread: each takes memory of its own, one for every core."""
    plugin: Any = sys.modules.get("PIL.AvifImagePlugin")
    if plugin is None:  # before Pillow 11.3 there are others that read it
        yield
        return
    before = plugin.DEFAULT_MAX_THREADS
    plugin.DEFAULT_MAX_THREADS = 1  # the way that Pillow has for it
    try:
        yield
    finally:
        plugin.DEFAULT_MAX_THREADS = before


def is_turned(picture: "Picture") -> bool:
    """Whether its EXIF data says that it is to be turned or mirrored for being seen."""
    return _orientation(picture) in _TURNS


def first_frame(
    data: bytes, info: ImageInfo, max_pixels: int | None, max_decoded: int
) -> "Picture":
    """The first frame, turned as it should be seen, no larger than may be encoded.

    Args:
        data: the picture's bytes.
        info: the facts about them.
        max_pixels: width times height that it may have; None for any.
        max_decoded: pixels that may be decoded.

    Raises:
        AttemptFailed: Pillow cannot read it, or decoding it would cost too much.
    """
    import PIL.Image

    most = min(max_pixels or MAX_WRITTEN, MAX_WRITTEN)
    still, turn, profile = _whole(data, info, most, max_decoded)
    still = resized(still, size_within(still.size, most))
    if still.mode in _UNMIXED:
        still = still.convert(_UNMIXED[still.mode])
    still = on_screen(still, profile)
    return still.transpose(PIL.Image.Transpose[turn]) if turn else still


def _whole(
    data: bytes, info: ImageInfo, most: int, max_decoded: int
) -> tuple["Picture", str | None, bytes | None]:
    """The first frame before it is made smaller, how to turn it, and the profile of its colours.

    Nothing else of the decoder is left in memory: some hold several times the picture.
    """
    picture = open_picture(data, info)
    decoded = picture.size
    picture.draft(None, size_within(picture.size, most))  # a JPEG can be decoded smaller
    if picture.format != "JPEG" or not jpeg.is_kept_whole(data):
        decoded = picture.size
    _check_limit(decoded, max_decoded - copied(data, info.mime) // _BYTES_OF_PIXEL)
    if _fallbacks(picture):
        with contextlib.suppress(EOFError):  # the animation that was announced is missing
            picture.seek(1)
    picture.load()
    turn, profile = _TURNS.get(_orientation(picture)), picture.info.get("icc_profile")
    whole = scalable(picture)
    if whole is not picture:
        picture.close()
    if size_within(whole.size, most) != whole.size and whole.mode in _MIXED:
        # as Pillow does to resize it, but now the decoder and what it holds can go before that
        mixed = whole.convert(_MIXED[whole.mode])
        whole.close()
        whole = mixed
    return whole, turn, profile


def contact_sheet(picture: "Picture", info: ImageInfo, max_decoded: int) -> "Picture":
    """Evenly spaced frames of an animation, in reading order on white.

    Frames are decoded one after the other, so only one of them is in memory.

    Args:
        picture: of `open_picture`.
        info: the facts about it.
        max_decoded: pixels of one frame that may be decoded.

    Raises:
        AttemptFailed: decoding it would cost too much memory.
    """
    import PIL.Image

    passed = _MAX_PIXELS_PASSED // (picture.width * picture.height)
    window = max(1, min(info.frames, _MAX_FRAMES_PASSED, passed))
    count = min(window, _SHEET_FRAMES)
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    width, height = size_within(picture.size, _CELL)
    size = columns * (width + _GAP) - _GAP, rows * (height + _GAP) - _GAP
    sheet = PIL.Image.new("RGB", size, "white")
    places = {place * (window - 1) // max(count - 1, 1): place for place in range(count)}
    for number, frame in frames(picture, info, places, _CELL, max_decoded):
        row, column = divmod(places[number], columns)
        sheet.paste(frame, (column * (width + _GAP), row * (height + _GAP)))
    return sheet


def frames(
    picture: "Picture", info: ImageInfo, wanted: Collection[int], pixels: int, max_decoded: int
) -> Iterator[tuple[int, "Picture"]]:
    """Some frames of an animation, made small, on white, as far as they are there.

    Args:
        picture: of `open_picture`.
        info: the facts about it.
        wanted: the numbers of the frames, from 0.
        pixels: width times height that each may have.
        max_decoded: pixels of one frame that may be decoded.

    Raises:
        AttemptFailed: decoding it would cost too much memory.
    """
    _check_limit(picture.size, max_decoded // _HELD_FRAMES)
    before, size = _fallbacks(picture), size_within(picture.size, pixels)
    for number in range(max(wanted) + 1):
        try:
            picture.seek(before + number)
        except EOFError:  # fewer than announced
            return
        _check_size(picture, info)
        _check_limit(picture.size, max_decoded // _HELD_FRAMES)
        if number in wanted:
            frame = reduced(picture, size, scalable)
            yield number, on_white(on_screen(frame, picture.info.get("icc_profile")))


def _check_size(picture: "Picture", info: ImageInfo) -> None:
    """Refuse to decode more pixels than were announced when the settings accepted the picture.

    A little more is fine, because the frames of some GIFs stand over the edge.
    """
    if info.width and picture.width * picture.height > 2 * info.width * info.height:
        found = f"{picture.width} × {picture.height}"
        announced = f"{info.width} × {info.height}"
        detail = Text(
            "{found} pixels where the header announces {announced}",
            found=found,
            announced=announced,
        )
        raise AttemptFailed(Cause.FAILED, detail)


def _check_limit(size: tuple[int, int], max_decoded: int) -> None:
    """Refuse to decode what would take more memory than the operator allows."""
    width, height = size
    if width * height > max_decoded:
        detail = Text(
            "{width} × {height} pixels where QQIMAGE__MAX_DECODED_PIXELS allows {limit}",
            width=width,
            height=height,
            limit=max_decoded,
        )
        raise AttemptFailed(Cause.FAILED, detail)


def _fallbacks(picture: "Picture") -> int:
    """How many frames come before the animation: Pillow counts the one for who shows none."""
    return int(getattr(picture, "default_image", False))


def _orientation(picture: "Picture") -> int:
    import PIL.Image

    # the method of PNG pictures would decode all of it, because the chunk may come last
    with contextlib.suppress(Exception):  # data that cannot be read says nothing
        return PIL.Image.Image.getexif(picture).get(_ORIENTATION, 1)
    return 1
