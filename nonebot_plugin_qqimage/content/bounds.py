"""The bounds that an author sets for a picture: largest size, acceptable types, animations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Animation = Literal["first", "sheet", "keep"]
"""What becomes of an animation: its first frame, a sheet of frames, or itself where acceptable."""

DECODERS = {
    "png": "PNG",
    "jpeg": "JPEG",
    "webp": "WEBP",
    "gif": "GIF",
    "bmp": "BMP",
    "tiff": "TIFF",
    "avif": "AVIF",
    "heic": "HEIF",  # needs a plugin of Pillow, such as pillow-heif
}
"""The types that are known, and what Pillow calls each of them."""
WRITABLE = ("png", "jpeg", "webp", "gif")
"""The types that a picture can be re-encoded into."""
_DEFAULT = ("png", "jpeg", "webp")
"""What to write where the author does not say: every model takes these."""
_ALIASES = {"jpg": "jpeg", "tif": "tiff", "heif": "heic"}


@dataclass(frozen=True)
class Bounds:
    """The bounds that a picture must be within."""

    max_bytes: int | None
    """Length of the whole ``data:`` URL, in characters; None for any."""
    max_pixels: int | None
    """Width times height; None for any."""
    formats: tuple[str, ...] | None
    """Acceptable types, as in `DECODERS`; None for any."""
    animation: Animation
    """What becomes of an animation."""

    @property
    def writable(self) -> tuple[str, ...]:
        """The types to choose from when re-encoding."""
        return _DEFAULT if self.formats is None else self.formats

    def allow(self, kind: str, size: int) -> bool:
        """Whether a picture is acceptable.

        Args:
            kind: its type, as in `DECODERS`.
            size: its size in bytes.
        """
        length = len(f"data:image/{kind};base64,") + (size + 2) // 3 * 4
        return (self.formats is None or kind in self.formats) and (
            self.max_bytes is None or length <= self.max_bytes
        )


def bounds_of(
    max_bytes: int | None,
    max_pixels: int | None,
    formats: Sequence[str] | None,
    animation: Animation | None,
) -> Bounds | None:
    """The arguments of `Image.data_url`, checked; None where none of them is given.

    Raises:
        ValueError: no picture can be within these bounds, or a format is unknown.
    """
    if max_bytes is None and max_pixels is None and formats is None and animation is None:
        return None
    for name, value in (("max_bytes", max_bytes), ("max_pixels", max_pixels)):
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    if animation not in (None, "first", "sheet", "keep"):
        raise ValueError(f"animation must be 'first', 'sheet' or 'keep', not {animation!r}")
    known = None if formats is None else _known(formats)
    return Bounds(max_bytes, max_pixels, known, animation or "first")


def type_named(text: str) -> str | None:
    """The type that a text means, as in `DECODERS`; None where it means none.

    Args:
        text: a type, an extension, or a MIME type, such as ``jpg`` or ``image/jpeg``.
    """
    name = text.strip().lower().removeprefix("image/")
    name = _ALIASES.get(name, name)
    return name if name in DECODERS else None


def _known(formats: Sequence[str]) -> tuple[str, ...]:
    known: list[str] = []
    for given in (formats,) if isinstance(formats, str) else formats:
        name = type_named(given)
        if name is None:
            raise ValueError(f"unknown format {given!r}; known are {', '.join(DECODERS)}")
        known.append(name)
    if not set(known) & set(WRITABLE):
        raise ValueError(f"formats must name one to re-encode into: {', '.join(WRITABLE)}")
    return tuple(known)
