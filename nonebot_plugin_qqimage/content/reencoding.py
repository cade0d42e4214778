"""Re-encoding pictures with Pillow (the extra ``vision``), which is imported only when needed.

Everything here blocks, and belongs in one thread: a large picture takes hundreds of megabytes,
and Pillow's warnings can only be silenced for the whole process.
"""

import importlib
import io
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..errors import AttemptFailed, Cause
from ..language import Text
from .info import ImageInfo

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Animation = Literal["first", "sheet", "keep"]
"""What becomes of an animation: its first frame, a contact sheet, or itself where acceptable."""

DECODERS = {
    "png": "PNG",
    "jpeg": "JPEG",
    "webp": "WEBP",
    "gif": "GIF",
    "bmp": "BMP",
    "tiff": "TIFF",
    "avif": "AVIF",
    "heic": "HEIF",  # which only a plugin of Pillow's adds
}
"""What Pillow calls each type."""
WRITABLE = ("png", "jpeg", "webp", "gif")
"""Types to re-encode into."""
_DEFAULT = ("png", "jpeg", "webp")
"""What to write where the author does not say: every model takes these."""
_QUALITIES = (90, 75, 55)
_HOPELESS = 3.0
"""How many times too large a picture is that only the lowest quality may save."""
_MAX_SIDE = 16_383
"""Pixels; WebP can have no more."""
_MAX_WRITTEN = 16_000_000
"""Pixels to encode: more than any model looks at, and few enough to take seconds."""
_MAX_SCANNED = 10_000_000_000
"""Pixels times scans of a JPEG, at a nanosecond each. Real ones have about ten scans, and what is
appended to a phone's photo can look like hundreds."""
_SHEET_FRAMES = 9
_CELL = 512 * 512
"""Pixels of one frame on a contact sheet."""
_GAP = 4
_MAX_FRAMES_PASSED = 1000
_MAX_PIXELS_PASSED = 200_000_000
"""Frames, and pixels of them, to decode for a contact sheet."""
_ORIENTATION = 0x0112
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_TURNED_BY_EXIF = ("png", "jpeg", "webp", "tiff")
"""Types that some viewers turn by EXIF; decoders of the others turn the picture themselves."""


@dataclass(frozen=True)
class Bounds:
    """What the author asked for, checked."""

    max_bytes: int | None
    """Length of the whole ``data:`` URL."""
    max_pixels: int | None
    """Width times height."""
    formats: tuple[str, ...] | None
    """Acceptable types in our own spelling; None for any."""
    animation: Animation
    """What becomes of an animation."""

    @property
    def writable(self) -> tuple[str, ...]:
        """The types to choose from when re-encoding."""
        return _DEFAULT if self.formats is None else self.formats

    def hold(self, kind: str, size: int) -> bool:
        """Whether a picture of this type and so many bytes is acceptable."""
        length = len(f"data:image/{kind};base64,") + (size + 2) // 3 * 4
        return (self.formats is None or kind in self.formats) and (
            self.max_bytes is None or length <= self.max_bytes
        )


def fitting(data: bytes, info: ImageInfo, bounds: Bounds) -> tuple[str, bytes] | None:
    """The MIME type and bytes of a picture within the bounds; None when it cannot be so small.

    Raises:
        AttemptFailed: it has to be re-encoded, and cannot be decoded.
        ImportError: Pillow is missing.
    """
    try:
        importlib.import_module("PIL.Image")
    except ImportError as error:
        raise ImportError(
            "data_url() with bounds needs Pillow: pip install nonebot-plugin-qqimage[vision]",
            name="PIL",
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            if _fits(data, info, bounds):
                return info.mime, data
            sheet = info.frames > 1 and bounds.animation == "sheet"
            opened = _open(data, info)
            still = _sheet(opened, info) if sheet else _upright(opened, bounds)
            del opened  # and its pixels
            lossless = _kind(info) in ("png", "gif", "bmp", "tiff")
            return _encode(still, bounds, lossless)
    except AttemptFailed:
        raise
    except Exception as error:  # whatever hostile bytes make Pillow raise
        detail = Text("Pillow cannot read this {mime}: {error}", mime=info.mime, error=repr(error))
        raise AttemptFailed(Cause.FAILED, detail) from error


def _kind(info: ImageInfo) -> str:
    return info.mime.removeprefix("image/")


def _fits(data: bytes, info: ImageInfo, bounds: Bounds) -> bool:
    """Whether the stored bytes will do."""
    return (
        bounds.hold(_kind(info), info.size)
        and (bounds.max_pixels is None or info.width * info.height <= bounds.max_pixels)
        and (info.frames == 1 or bounds.animation == "keep")
        and not (_kind(info) in _TURNED_BY_EXIF and _orientation(_open(data, info)) in _TURNS)
    )


def _open(data: bytes, info: ImageInfo) -> "Picture":
    """The picture, not decoded yet."""
    import PIL.Image

    decoder = DECODERS[_kind(info)]
    if decoder not in PIL.Image.OPEN:
        PIL.Image.init()
    if decoder not in PIL.Image.OPEN:
        detail = Text(
            "Pillow {version} cannot decode {mime} without a plugin of its own",
            version=PIL.__version__,
            mime=info.mime,
        )
        raise AttemptFailed(Cause.FAILED, detail)
    scans = data.count(b"\xff\xda") if decoder == "JPEG" else 1
    if scans * info.width * info.height > _MAX_SCANNED:
        detail = Text("a JPEG of {scans} scans, which would take too long", scans=scans)
        raise AttemptFailed(Cause.FAILED, detail)
    # no other decoder may have a look: what they make of hostile bytes is not bounded
    try:
        picture = PIL.Image.open(io.BytesIO(data), formats=(decoder,))
    except PIL.UnidentifiedImageError:
        detail = Text("Pillow cannot read this {mime}", mime=info.mime)
        raise AttemptFailed(Cause.FAILED, detail) from None
    _check_size(picture, info)
    return picture


def _check_size(picture: "Picture", info: ImageInfo) -> None:
    """Refuse to decode what has grown since it was accepted, when the settings were asked.

    A little is fine: the frames of some GIFs stand over the edge.
    """
    if picture.width * picture.height > 2 * info.width * info.height:
        detail = Text(
            "{found} pixels where the header announces {said}",
            found=f"{picture.width} × {picture.height}",
            said=f"{info.width} × {info.height}",
        )
        raise AttemptFailed(Cause.FAILED, detail)


def _orientation(picture: "Picture") -> int:
    import PIL.Image

    # the PNG's own method would decode all of it, in case the chunk comes last
    return PIL.Image.Image.getexif(picture).get(_ORIENTATION, 1)


def _upright(picture: "Picture", bounds: Bounds) -> "Picture":
    """The first frame as it should be seen, no larger than may be written."""
    import PIL.Image

    most = min(bounds.max_pixels or _MAX_WRITTEN, _MAX_WRITTEN)
    picture.draft(None, _within(picture.size, most))  # a JPEG can be decoded smaller
    picture.load()
    turn = _TURNS.get(_orientation(picture))
    still = _resized(_plain(picture), _within(picture.size, most))
    return still.transpose(PIL.Image.Transpose[turn]) if turn else still


def _sheet(picture: "Picture", info: ImageInfo) -> "Picture":
    """Evenly spaced frames, in reading order on white; frames are decoded one after the other."""
    import PIL.Image

    passed = _MAX_PIXELS_PASSED // (info.width * info.height)
    window = max(1, min(info.frames, _MAX_FRAMES_PASSED, passed))
    count = min(window, _SHEET_FRAMES)
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    width, height = _within(picture.size, _CELL)
    size = columns * (width + _GAP) - _GAP, rows * (height + _GAP) - _GAP
    sheet = PIL.Image.new("RGB", size, "white")
    places = {place * (window - 1) // max(count - 1, 1): place for place in range(count)}
    for number in range(window):
        try:
            picture.seek(number)
        except EOFError:  # fewer than announced
            break
        _check_size(picture, info)
        place = places.get(number)
        if place is not None:
            row, column = divmod(place, columns)
            frame = _on_white(_resized(_plain(picture), (width, height)))
            sheet.paste(frame, (column * (width + _GAP), row * (height + _GAP)))
    return sheet


def _plain(picture: "Picture") -> "Picture":
    """The same in RGB, or RGBA where something is transparent."""
    if picture.mode.startswith("I"):  # 16 bits a pixel, which a mere conversion would clip
        grey = picture.convert("I")
        picture = grey.point(  # pyright: ignore[reportUnknownMemberType]
            lambda value: value * (1 / 256) + 0
        ).convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        if picture.getchannel("A").getextrema() == (255, 255):
            picture = picture.convert("RGB")
    elif picture.mode != "RGB":
        picture = picture.convert("RGB")
    return picture


def _within(size: tuple[int, int], pixels: int) -> tuple[int, int]:
    """The largest size of about the same shape that has at most so many pixels."""
    width, height = size
    scale = min(1, math.sqrt(pixels / (width * height)), _MAX_SIDE / max(size))
    width = min(pixels, max(1, int(width * scale)))
    return width, min(pixels // width, max(1, int(height * scale)))


def _resized(picture: "Picture", size: tuple[int, int]) -> "Picture":
    import PIL.Image

    if picture.size == size:
        return picture
    return picture.resize(  # pyright: ignore[reportUnknownMemberType]
        size, PIL.Image.Resampling.LANCZOS, reducing_gap=2.0
    )


def _on_white(picture: "Picture") -> "Picture":
    import PIL.Image

    if picture.mode == "RGB":
        return picture
    flat = PIL.Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A"))
    return flat


def _encode(still: "Picture", bounds: Bounds, lossless: bool) -> tuple[str, bytes] | None:
    """The best picture within the bounds: quality goes first, then size."""
    trials = dict.fromkeys(_trials(bounds.writable, still.mode == "RGBA", lossless))
    size = _within(still.size, bounds.max_pixels or _MAX_WRITTEN)
    while True:
        picture = _resized(still, size)
        excess, lost = 0.0, False
        for kind, quality in trials:
            if lost and quality != _QUALITIES[-1]:
                continue
            data = _written(picture, kind, quality)
            if bounds.hold(kind, len(data)):
                return f"image/{kind}", data
            excess = len(data) * 4 / 3 / (bounds.max_bytes or 1)
            lost = quality > 0 and excess > _HOPELESS
        if size == (1, 1):
            return None
        scale = max(0.1, min(0.9, 0.95 / math.sqrt(excess)))
        size = max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def _trials(
    formats: tuple[str, ...], transparent: bool, lossless: bool
) -> Iterator[tuple[str, int]]:
    """Types and qualities to try, the best first."""
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
        options["method"] = 2  # half the time of Pillow's choice, for a few more bytes
    if kind in ("jpeg", "gif"):
        picture = _on_white(picture)
    if kind == "gif":
        picture = picture.quantize(256)
    picture.info = {}  # comments, profiles and places taken are nobody's business
    buffer = io.BytesIO()
    picture.save(buffer, kind.upper(), **options)
    return buffer.getvalue()
