"""What decoders are given: the same picture, its turning and colours, and no other metadata."""

import contextlib
import io
import struct
import warnings
import zlib
from collections.abc import Callable
from typing import Any

import PIL.Image
import pytest
from PIL import ImageCms, TiffImagePlugin

from nonebot_plugin_qqimage.content.bounds import DECODERS, bounds_of
from nonebot_plugin_qqimage.content.decodable import decodable
from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.content.reencoding import fitting

from .test_variants import KINDS, by_pillow, look, made
from .variants.pictures import with_heif

MUCH = 6_000_000
"""Bytes of metadata: more than any camera writes."""
ORIENTATION = 0x0112
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


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


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body


def written(kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (40, 30), (200, 60, 20)).save(buffer, kind, **options)
    return buffer.getvalue()


def turned(kind: str) -> bytes:
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = 6
    return written(kind, exif=exif, icc_profile=PROFILE)


def jpeg(marker: int, start: bytes) -> bytes:
    data = turned("JPEG")
    at = data.index(b"\xff\xdb")
    body = (start + bytes(60_000)) * 1
    return data[:at] + segment(marker, body) * (MUCH // 60_000) + data[at:]


def png(*chunks: bytes, behind: bool = False) -> bytes:
    data = turned("PNG")
    at = data.index(b"IEND" if behind else b"IDAT") - 4
    return data[:at] + b"".join(chunks) + data[at:]


def bombs() -> bytes:
    """Text that is small only while it is compressed."""
    texts = (b"k%d\0\0" % number + zlib.compress(bytes(1_000_000)) for number in range(40))
    return b"".join(chunk(b"zTXt", text) for text in texts)


def webp(*chunks: bytes) -> bytes:
    body = turned("WEBP")[12:] + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def gif(label: int, block: bytes) -> bytes:
    data = written("GIF")
    at = 13 + (3 << (data[10] & 7) + 1)
    blocks = (b"\xff" + bytes(255)) * (MUCH // 256)
    return data[:at] + bytes([0x21, label]) + block + blocks + b"\0" + data[at:]


def tiff(tag: int, order: str = "<", **options: Any) -> bytes:
    entries = TiffImagePlugin.ImageFileDirectory_v2(
        (b"II*\0" if order == "<" else b"MM\0*") + bytes(4)
    )
    entries[ORIENTATION], entries[tag] = 6, bytes(MUCH)
    entries.tagtype[tag] = 7
    return written("TIFF", tiffinfo=entries, **options)


BLOATED: dict[str, Callable[[], bytes]] = {
    "jpeg: more EXIF data": lambda: jpeg(0xE1, b"Exif\0\0"),
    "jpeg: XMP": lambda: jpeg(0xE1, b"http://ns.adobe.com/xmp/extension/\0"),
    "jpeg: other pictures": lambda: jpeg(0xE2, b"MPF\0"),
    "jpeg: what programs add": lambda: jpeg(0xED, b"Photoshop 3.0\0"),
    "jpeg: comments": lambda: jpeg(0xFE, b""),
    "jpeg: padding": lambda: (data := turned("JPEG"))[:2] + b"\xff" * MUCH + data[2:],
    "png: texts": lambda: png(*[chunk(b"tEXt", b"a\0" + b"x" * 900_000)] * (MUCH // 900_000)),
    "png: compressed texts": lambda: png(bombs()),
    "png: compressed texts behind": lambda: png(bombs(), behind=True),
    "png: a second profile": lambda: png(chunk(b"iCCP", b"a\0\0" + bytes(MUCH))),
    "png: more EXIF data": lambda: png(chunk(b"eXIf", b"MM\0*" + bytes(MUCH)), behind=True),
    "png: unknown": lambda: png(chunk(b"prVt", bytes(MUCH))),
    "webp: XMP": lambda: webp(riff(b"XMP ", bytes(MUCH))),
    "webp: more EXIF data": lambda: webp(riff(b"EXIF", bytes(MUCH))),
    "webp: unknown": lambda: webp(riff(b"JUNK", bytes(MUCH))),
    "gif: comments": lambda: gif(0xFE, b""),
    "gif: XMP": lambda: gif(0xFF, b"\x0bXMP DataXMP"),
    "tiff: XMP": lambda: tiff(700, compression="tiff_lzw", icc_profile=PROFILE),
    "tiff: what programs add": lambda: tiff(60_000, icc_profile=PROFILE),
    "tiff: of the other order": lambda: tiff(700, ">", icc_profile=PROFILE),
    "avif: XMP": lambda: written("AVIF", xmp=bytes(MUCH), icc_profile=PROFILE),
}


@pytest.mark.parametrize("name", BLOATED)
def test_large_metadata_is_not_given_to_decoders(name: str) -> None:
    data = BLOATED[name]()
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
    data = BLOATED["png: texts"]()
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
