"""Colours of decoded pictures: of any mode and profile, made RGB as a screen shows it."""

import importlib
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_SPACES = {"RGB": "RGB", "RGBA": "RGB", "L": "GRAY", "LA": "GRAY", "CMYK": "CMYK"}
"""What a profile says that it describes, for each mode."""


def scalable(picture: "Picture") -> "Picture":
    """A picture that can be resized: of a mode with 8 bits a colour and no palette.

    What is transparent has an alpha channel then; the profile still describes the colours.

    Args:
        picture: a decoded picture, which is given back where nothing is to be changed.
    """
    if picture.mode.startswith(("I", "F")):
        return _from_deep_grey(picture)
    transparent = "transparency" in picture.info
    if picture.mode == "1" or (transparent and picture.mode == "L"):
        return picture.convert("LA" if transparent else "L")
    if picture.mode in (*_SPACES, "LAB") and not (transparent and picture.mode == "RGB"):
        return picture
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _from_deep_grey(picture: "Picture") -> "Picture":
    """A picture in L or LA; a mere conversion would clip 16 bits, and lose what is clear."""
    import PIL.Image

    values = picture if picture.mode in ("I", "F") else picture.convert("I")
    if picture.mode == "F":
        return values.convert("L")
    clear = picture.info.get("transparency")
    grey = values.point(  # pyright: ignore[reportUnknownMemberType]
        [value >> 8 for value in range(1 << 16)], "L"
    )
    if not isinstance(clear, int):
        return grey
    alpha = values.point(  # pyright: ignore[reportUnknownMemberType]
        [255 * (value != clear) for value in range(1 << 16)], "L"
    )
    return PIL.Image.merge("LA", (grey, alpha))


def on_screen(picture: "Picture", profile: bytes | None) -> "Picture":
    """A picture in RGB, or in RGBA where something of it is transparent, in the colours of sRGB.

    Args:
        picture: a picture of `scalable`, which may be changed in place.
        profile: the ICC profile of its colours; None for those of a screen.
    """
    if picture.mode in ("LA", "RGBA") and picture.getchannel("A").getextrema() == (255, 255):
        picture = picture.convert(picture.mode.rstrip("A"))
    if picture.mode == "LA":
        shown = on_screen(picture.convert("L"), profile)
        shown.putalpha(picture.getchannel("A"))
        return shown
    shown = _transformed(picture, profile) or picture
    return shown if shown.mode in ("RGB", "RGBA") else shown.convert("RGB")


def _transformed(picture: "Picture", profile: bytes | None) -> "Picture | None":
    """The picture in the colours of sRGB; None where no profile says what its own are."""
    if not profile and picture.mode != "LAB":
        return None
    cms: Any = importlib.import_module("PIL.ImageCms")  # which says too little of its types
    try:
        if picture.mode == "LAB":
            source = cms.ImageCmsProfile(cms.createProfile("LAB"))
        else:
            source = cms.ImageCmsProfile(io.BytesIO(profile or b""))
            if source.profile.xcolor_space.strip() != _SPACES.get(picture.mode):
                return None
        screen = cms.createProfile("sRGB")
        if picture.mode in ("RGB", "RGBA"):
            cms.profileToProfile(picture, source, screen, inPlace=True)
            return picture
        return cms.profileToProfile(picture, source, screen, outputMode="RGB")
    except Exception:  # noqa: BLE001  a profile that cannot be used is no reason to refuse a picture
        return None
