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

    What is transparent has an alpha channel then. The colours are what they were; the profile in
    `info` still belongs to them.

    Args:
        picture: a decoded picture. Its own pixels are given up.
    """
    made = _scalable(picture)
    if made is not picture:
        made.info = {name: value for name, value in picture.info.items() if name != "transparency"}
        picture.close()
    return made


def _scalable(picture: "Picture") -> "Picture":
    if picture.mode.startswith(("I", "F")):
        return _from_deep_grey(picture)
    transparent = "transparency" in picture.info
    if picture.mode in ("P", "PA"):
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    if picture.mode == "1" or (transparent and picture.mode == "L"):
        return picture.convert("LA" if transparent else "L")
    if picture.mode == "RGB" and transparent:
        return picture.convert("RGBA")
    if picture.mode in (*_SPACES, "LAB"):
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
        picture: a picture of `scalable`.
        profile: the ICC profile of its colours; None for those of a screen.
    """
    if picture.mode in ("LA", "RGBA") and picture.getchannel("A").getextrema() == (255, 255):
        picture = picture.convert(picture.mode.rstrip("A"))
    alpha = picture.getchannel("A") if picture.mode in ("LA", "RGBA") else None
    plain = picture.convert(picture.mode.rstrip("A")) if alpha is not None else picture
    shown = _transformed(plain, profile) or plain.convert("RGB")
    if alpha is not None:
        shown.putalpha(alpha)
    return shown


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
        return cms.profileToProfile(picture, source, screen, outputMode="RGB")
    except Exception:  # noqa: BLE001  a profile that cannot be used is no reason to refuse a picture
        return None
