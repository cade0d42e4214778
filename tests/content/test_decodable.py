"""What decoders are given: the same picture, its turning and colours, and no other metadata."""

import contextlib
import io
import struct
import warnings
from typing import Any

import PIL.features
import PIL.Image
import pytest

from nonebot_plugin_qqimage.content.bounds import DECODERS, bounds_of
from nonebot_plugin_qqimage.content.decoding.decodable import decodable
from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.content.reencoding.reencoding import fitting
from nonebot_plugin_qqimage.errors import AttemptFailed

from .test_variants import KINDS, by_pillow, look, made
from .variants.metadata import BLOATED, ORIENTATION, PROFILE, chunk, png, turned, written
from .variants.pictures import with_heif

MUCH = 6_000_000
"""Bytes of metadata: more than any camera writes."""


def seen(file: Any, mime: str) -> tuple[Any, ...]:
    """All that decides what is seen: the frames, the profile, and how the picture is turned."""
    with warnings.catch_warnings(), with_heif():
        warnings.simplefilter("ignore")
        picture = PIL.Image.open(file, formats=(DECODERS[mime.removeprefix("image/")],))
        turned = 1
        with contextlib.suppress(SyntaxError):  # data that is none
            turned = PIL.Image.Image.getexif(picture).get(ORIENTATION, 1)
        frames: list[bytes] = []
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            frames.append(picture.convert("RGBA").tobytes())
        return picture.size, frames, turned, picture.info.get("icc_profile")


@KINDS
def test_every_picture_is_seen_as_it_was(kind: str) -> None:
    for variant in made(kind):
        mime = look(variant.data).mime
        try:
            by_pillow(variant.data)
        except OSError:  # it is among the exceptions there
            continue
        whole = seen(io.BytesIO(variant.data), mime)
        assert seen(decodable(variant.data, mime), mime) == whole, variant.name


@pytest.mark.parametrize("name", BLOATED)
def test_large_metadata_is_not_given_to_decoders(name: str) -> None:
    data = BLOATED[name](MUCH)
    info = look(data)
    file = decodable(data, info.mime)
    picture = PIL.Image.open(file, formats=(DECODERS[info.mime.removeprefix("image/")],))
    picture.load()
    assert max(sizes(picture.info), default=0) < 10_000
    if info.mime != "image/gif":  # which has no such thing
        assert picture.info["icc_profile"] == PROFILE
    upright = shown(data, info)
    assert upright.size == ((40, 30) if info.mime in ("image/gif", "image/avif") else (30, 40))
    pixel = upright.getpixel((20, 20))
    assert isinstance(pixel, tuple)
    assert all(abs(a - b) <= 4 for a, b in zip(pixel, (200, 60, 20), strict=True))


def sizes(info: dict[Any, Any]) -> list[int]:
    return [len(value) for value in info.values() if isinstance(value, str | bytes)]


def shown(data: bytes, info: ImageInfo) -> PIL.Image.Image:
    """The picture as a model gets it."""
    bounds = bounds_of(None, None, ["webp" if info.mime != "image/webp" else "png"], "first")
    assert bounds is not None
    found = fitting(data, info, bounds, 1 << 30)
    assert found is not None
    return PIL.Image.open(io.BytesIO(found[1])).convert("RGB")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_profile_larger_than_any_is_left_out(kind: str) -> None:
    profile = struct.pack(">I", MUCH) + PROFILE[4:] + bytes(MUCH - len(PROFILE))
    if kind == "PNG":  # Pillow itself takes none that is so large when unpacked
        profile = PROFILE
    data = written(kind, icc_profile=profile)
    if kind == "PNG":
        at = data.index(b"iCCP")
        size = int.from_bytes(data[at - 4 : at], "big")
        body = data[at + 4 : at + 4 + size] + bytes(MUCH)
        data = data[: at - 4] + chunk(b"iCCP", body) + data[at + 8 + size :]
    picture = PIL.Image.open(decodable(data, f"image/{kind.lower()}"), formats=(kind,))
    assert "icc_profile" not in picture.info
    picture.load()


def test_a_jpeg_with_stray_bytes_between_its_segments_can_be_reencoded() -> None:
    data = turned("JPEG")
    at = data.index(b"\xff\xdb")
    for stray in (b"\0", b"\0\0\0\0", b"\xff\xff\xff", b"abc\xff\0"):
        broken = data[:at] + stray + data[at:]
        assert shown(broken, look(broken)).size == (30, 40)


def test_exif_data_that_cannot_be_read_turns_nothing() -> None:
    data = written("PNG")
    at = data.index(b"IDAT") - 4
    for body in (b"", b"no such thing", b"II*\0\xff\xff\xff\xff"):
        broken = data[:at] + chunk(b"eXIf", body) + data[at:]
        assert shown(broken, look(broken)).size == (40, 30)


def test_it_is_read_in_any_steps() -> None:
    data = BLOATED["png: texts"](MUCH)
    whole = decodable(data, "image/png").read()
    file = decodable(data, "image/png")
    assert file.seek(0, io.SEEK_END) == len(whole) == file.tell()
    file.seek(0)
    steps: list[bytes] = []
    while step := file.read(37):
        steps.append(step)
    assert b"".join(steps) == whole == png()
    file.seek(-5, io.SEEK_CUR)
    assert file.read() == whole[-5:]


@pytest.mark.skipif(not PIL.features.check("avif"), reason="this Pillow has no AVIF")
def test_what_a_decoder_copies_counts_as_pixels() -> None:
    """An AVIF without its metadata is a copy of the file, in memory beside what is decoded."""
    plain, bloated = io.BytesIO(), io.BytesIO()
    picture = PIL.Image.new("RGB", (64, 64), "teal")
    picture.save(plain, "AVIF")
    picture.save(bloated, "AVIF", xmp=b"x" * MUCH)
    bounds = bounds_of(None, 1000, None, None)
    assert bounds is not None
    assert fitting(plain.getvalue(), look(plain.getvalue()), bounds, 64 * 64)
    with pytest.raises(AttemptFailed, match="MAX_DECODED_PIXELS"):
        fitting(bloated.getvalue(), look(bloated.getvalue()), bounds, 64 * 64)
    assert fitting(bloated.getvalue(), look(bloated.getvalue()), bounds, 64 * 64 + MUCH)
