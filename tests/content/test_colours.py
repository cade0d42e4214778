"""Re-encoded pictures have the colours that a screen should show, and what is clear stays clear."""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, cast

import pytest
from PIL import Image, ImageChops, ImageCms

from nonebot_plugin_qqimage.content.bounds import bounds_of
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.content.reencoding import fitting
from nonebot_plugin_qqimage.content.reencoding.reencoding import fitting as fit
from nonebot_plugin_qqimage.errors import AttemptFailed

from .variants import profiles
from .variants.common import apng_with_fallback
from .variants.pictures import encoded, noise

SIZE = 60, 40
FEW = 10**9


def reencoded(data: bytes, *, max_decoded: int = FEW, **arguments: Any) -> Image.Image:
    """The picture as a PNG, opened."""
    info = inspect(data, max_size=1 << 30, max_pixels=1 << 40)
    asked = {"max_bytes": None, "max_pixels": None, "formats": ["png"], "animation": None}
    bounds = bounds_of(**(asked | arguments))
    assert bounds is not None
    made = fit(data, info, bounds, max_decoded)
    assert made is not None
    picture = Image.open(io.BytesIO(made[1]))
    picture.load()
    return picture


def smooth(mode: str) -> Image.Image:
    """Every colour, so that a wrong one is seen."""
    shades = [Image.linear_gradient("L").resize(SIZE)]
    shades += [shades[0].transpose(Image.Transpose.ROTATE_90).resize(SIZE)]
    shades += [Image.radial_gradient("L").resize(SIZE), ImageChops.invert(shades[0])]
    return Image.merge(mode, shades[: len(mode)])


def by_cms(picture: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    made = ImageCms.profileToProfile(
        picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    return cast(Image.Image, made)


def distance(one: Image.Image, other: Image.Image) -> int:
    assert one.size == other.size
    extrema: Any = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getextrema()
    return max(band[1] for band in extrema)


PROFILES = {
    "srgb": profiles.SRGB,
    "p3": profiles.DISPLAY_P3,
    "adobe": profiles.ADOBE_RGB,
    "swapped": profiles.SWAPPED,
}


def coloured() -> Iterator[Any]:
    kinds: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": 95, "subsampling": 0},
        "TIFF": {"compression": "tiff_lzw"},
        "WEBP": {"lossless": True},
        "AVIF": {"quality": 100, "subsampling": "4:4:4", "speed": 8},
    }
    for name, profile in PROFILES.items():
        for kind, options in kinds.items():
            yield pytest.param("RGB", kind, profile, options, id=f"{name} {kind}")
    yield pytest.param("CMYK", "JPEG", profiles.CMYK, kinds["JPEG"], id="cmyk JPEG")
    yield pytest.param("CMYK", "TIFF", profiles.CMYK, kinds["TIFF"], id="cmyk TIFF")
    yield pytest.param("L", "JPEG", profiles.GREY, {"quality": 95}, id="grey JPEG")
    yield pytest.param("L", "TIFF", profiles.GREY, kinds["TIFF"], id="grey TIFF")


@pytest.mark.parametrize(("mode", "kind", "profile", "options"), [*coloured()])
def test_profiles_are_applied(
    mode: str, kind: str, profile: bytes, options: dict[str, Any]
) -> None:
    data = encoded(smooth(mode), kind, icc_profile=profile, **options)
    decoded = Image.open(io.BytesIO(data))
    decoded.load()
    expected = by_cms(decoded, profile)
    assert distance(reencoded(data), expected) <= 3
    if profile is not profiles.SRGB:
        assert distance(decoded.convert("RGB"), expected) > 8  # it makes a difference
    if kind != "JPEG":  # which is made smaller by its own decoder
        small = reencoded(data, max_pixels=600)
        expected = by_cms(decoded.resize(small.size, Image.Resampling.LANCZOS), profile)
        assert distance(small, expected) <= 3


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_profiles_of_png_are_applied(profile: bytes) -> None:
    palette = smooth("RGB").quantize(200)
    for picture in (smooth("RGB"), palette, smooth("RGBA")):
        data = encoded(picture, "PNG", icc_profile=profile)
        # asked for fewer pixels than it has, so that it is not used as it is
        small = reencoded(data, max_pixels=SIZE[0] * SIZE[1] - 1)
        expected = by_cms(picture.convert("RGB"), profile)
        if picture.mode == "RGBA":
            assert small.mode == "RGBA"
            continue
        place = SIZE[0] // 2, SIZE[1] // 2
        found: Any = small.getpixel((small.width // 2, small.height // 2))
        wanted: Any = expected.getpixel(place)
        assert all(abs(a - b) <= 12 for a, b in zip(found, wanted, strict=True))


def test_a_profile_keeps_what_is_transparent() -> None:
    data = encoded(smooth("RGBA"), "TIFF", icc_profile=profiles.SWAPPED)
    picture = reencoded(data)
    assert picture.getchannel("A").tobytes() == smooth("RGBA").getchannel("A").tobytes()
    colours = by_cms(smooth("RGB"), profiles.SWAPPED)
    assert distance(picture, colours) <= 3


@pytest.mark.parametrize("profile", [b"no profile", profiles.CMYK, profiles.GREY])
def test_a_profile_that_does_not_fit_is_ignored(profile: bytes) -> None:
    data = encoded(smooth("RGB"), "TIFF", icc_profile=profile)
    assert distance(reencoded(data), smooth("RGB")) == 0


# What is clear in a PNG


def png(depth: int, colour: int, rows: list[bytes], clear: bytes) -> bytes:
    width = len(rows[0]) * 8 // (depth * (3 if colour == 2 else 1))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0)),
        (b"tRNS", clear),
        (b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


CLEAR = {
    "grey of 16 bits": png(16, 0, [struct.pack(">4H", 1000, 1001, 60_000, 0)], b"\x03\xe9"),
    "colours of 16 bits": png(
        16,
        2,
        [struct.pack(">12H", *[9] * 3, 5000, 6000, 7000, *[60_000] * 3, *[0] * 3)],
        struct.pack(">3H", 5000, 6000, 7000),
    ),
    "grey of 8 bits": png(8, 0, [bytes([7, 9, 200, 0])], b"\0\x09"),
    "grey of 4 bits": png(4, 0, [bytes([0x73, 0xF0])], b"\0\x03"),
    "grey of 2 bits": png(2, 0, [bytes([0b11_01_10_00])], b"\0\x01"),
    "colours of 8 bits": png(8, 2, [bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0])], b"\0\4\0\5\0\6"),
}


@pytest.mark.parametrize("data", CLEAR.values(), ids=CLEAR)
def test_the_transparent_colour_of_a_png_stays_transparent(data: bytes) -> None:
    picture = reencoded(data, formats=["webp"])
    assert picture.mode == "RGBA"
    assert picture.getchannel("A").tobytes() == bytes([255, 0, 255, 255])


# Animations with a picture for those who show none


def test_a_fallback_is_no_frame() -> None:
    data = apng_with_fallback().data
    first = reencoded(data, animation="first", formats=["webp", "png"], max_pixels=500)
    assert distance(first, noise("RGB", seed=2).resize(first.size, Image.Resampling.LANCZOS)) < 40
    sheet = reencoded(data, animation="sheet")
    width, height = noise().size
    for number in range(3):
        row, column = divmod(number, 2)
        corner = column * (width + 4), row * (height + 4)
        cell = sheet.crop((*corner, corner[0] + width, corner[1] + height))
        assert distance(cell, noise("RGB", seed=number + 2)) == 0


# What is too large to decode


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_the_refusal_names_the_setting(kind: str) -> None:
    data = encoded(smooth("RGB"), kind)
    with pytest.raises(AttemptFailed, match=r"60 × 40 pixels where QQIMAGE__MAX_DECODED_PIXELS"):
        reencoded(data, max_decoded=60 * 40 - 1, max_pixels=100)
    assert reencoded(data, max_decoded=60 * 40, max_pixels=100).width == 12


def test_a_jpeg_is_made_smaller_while_it_is_decoded() -> None:
    picture = smooth("RGB").resize((1600, 1200))
    assert reencoded(encoded(picture, "JPEG"), max_decoded=200 * 150, max_pixels=20_000)
    with pytest.raises(AttemptFailed, match="1600 × 1200"):
        reencoded(encoded(picture, "JPEG", progressive=True), max_decoded=10**6, max_pixels=20_000)


def test_the_setting_holds_for_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "_max_decoded", 1)
    fitting.limit(7)
    assert fitting._max_decoded == 7
