"""What bytes are recognised as, and what is refused."""

import hashlib
import io
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.errors import AttemptFailed, Cause

from .. import samples
from .variants.boxes import box

MIB = 1024 * 1024
KINDS = [pytest.param(*sample, id=name) for sample in samples.ALL for name in sample[:1]]
ENDED = st.sampled_from(samples.WITH_AN_END)


def look(
    data: bytes, *, max_size: int = 64 * MIB, max_pixels: int = 10**8, md5: str = ""
) -> ImageInfo:
    return inspect(data, max_size=max_size, max_pixels=max_pixels, md5=md5)


def refusal(data: bytes, **limits: int) -> AttemptFailed:
    with pytest.raises(AttemptFailed) as caught:
        look(data, **limits)
    return caught.value


def outcome(data: bytes) -> ImageInfo | AttemptFailed:
    try:
        return look(data)
    except AttemptFailed as failure:
        return failure


@pytest.mark.parametrize(("name", "data", "mime", "frames"), KINDS)
def test_every_format_is_recognised(name: str, data: bytes, mime: str, frames: int) -> None:
    info = look(data)
    size = samples.HEIC_SIZE if mime == "image/heic" else (samples.WIDTH, samples.HEIGHT)
    assert (info.mime, info.width, info.height) == (mime, *size)
    assert info.frames == frames
    assert info.size == len(data)
    assert info.md5 == hashlib.md5(data).hexdigest()
    assert info.sha256 == hashlib.sha256(data).hexdigest()
    assert info.uri == f"qqimage:{info.sha256}"
    assert info.extension in ("png", "jpg", "gif", "webp", "bmp", "tif", "avif", "heic")


@pytest.mark.parametrize(
    "data", [pytest.param(sample[1], id=sample[0]) for sample in samples.WITH_AN_END]
)
def test_every_cut_is_refused(data: bytes) -> None:
    accepted = [end for end in range(len(data)) if isinstance(outcome(data[:end]), ImageInfo)]
    assert accepted == []


@pytest.mark.parametrize(("name", "data", "mime", "frames"), KINDS)
def test_the_expected_md5_makes_up_for_a_missing_end(
    name: str, data: bytes, mime: str, frames: int
) -> None:
    cut = data[:-1]
    assert look(cut, md5=hashlib.md5(cut).hexdigest()).size == len(cut)


def test_an_md5_excuses_nothing_that_is_no_image() -> None:
    data = b"<html>sorry</html>"
    with pytest.raises(AttemptFailed):
        look(data, md5=hashlib.md5(data).hexdigest())


@given(sample=ENDED, appended=st.binary(max_size=64))
def test_bytes_after_the_end_are_accepted(
    sample: tuple[str, bytes, str, int], appended: bytes
) -> None:
    _, data, mime, frames = sample
    info = look(data + appended)
    assert (info.mime, info.size, info.frames) == (mime, len(data) + len(appended), frames)


def test_a_jpeg_cut_after_its_thumbnail_is_refused() -> None:
    end_of_thumbnail = samples.JPEG_EXIF.index(b"\xff\xd9") + 2
    assert end_of_thumbnail < len(samples.JPEG_EXIF)
    for end in (end_of_thumbnail, end_of_thumbnail + 200):
        assert refusal(samples.JPEG_EXIF[:end]).cause is Cause.REJECTED


@pytest.mark.parametrize("frames", [1, 2, 40])
def test_an_animated_png_says_how_many_frames(frames: int) -> None:
    assert look(samples.apng(frames)).frames == frames


@pytest.mark.parametrize("brand", [b"mif1", b"msf1"])
def test_an_avif_under_a_general_brand_is_no_heic(brand: bytes) -> None:
    sample = samples.AVIF if brand == b"mif1" else samples.AVIF_ANIMATED
    data = sample.replace(sample[8:12], brand, 1)
    assert b"avif" in data[16:64]
    assert look(data).mime == "image/avif"


@pytest.mark.parametrize(
    ("code", "cause"),
    [(-5503007, Cause.EXPIRED), (-5503010, Cause.EXPIRED), (-5503001, Cause.REJECTED)],
)
@pytest.mark.parametrize("before", ["", "\n ", "\ufeff"])
def test_errors_of_the_image_host(code: int, cause: Cause, before: str) -> None:
    body = f'{before}{{"retcode": {code},"retmsg":"download url has expired","retryflag":0}}'
    failure = refusal(body.encode())
    assert failure.cause is cause
    assert str(code) in failure.detail


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>blocked</html>", "HTML"),
        (b"\xef\xbb\xbf  <html></html>", "HTML"),
        (b'{"error": 1}', "JSON"),
        (b"[]", "JSON"),
        (b"Not Found", "Not Found"),
        ("请求过于频繁".encode(), "请求过于频繁"),
        (b"\0\1\2\3" * 5, "00 01 02 03"),
        (b" \r\n\t", "no known image"),
        (b"%PDF-1.7", "%PDF"),
        (b"PK\3\4" + bytes(30), "50 4b 03 04"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg"),
        (b"\0\0\0\x18ftypisom" + bytes(40), "MP4"),
        (b"\0\0\0\x18ftypqt  " + bytes(40), "QuickTime"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL"),
        (b"\xff\x0a\x80\xff" + bytes(40), "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40), "JPEG 2000"),
        (b"\xff\x4f\xff\x51" + bytes(40), "JPEG 2000"),
        (b"\0\0\1\0\1\0\x10\x10" + bytes(40), "ICO"),
        (b"8BPS\0\1" + bytes(40), "PSD"),
        (b"PK\3\4" + bytes(30), "ZIP"),
        (b"Rar!\x1a\7\1\0" + bytes(30), "RAR"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(30), "7z"),
        (b"\x1f\x8b\x08" + bytes(30), "gzip"),
        (b"a.txt".ljust(257, b"\0") + b"ustar\0" + bytes(250), "tar"),
        (b"BMW is a car", "text of 12 bytes"),
        (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "XML"),
        (b"<?xml version='1.0'?>\n<!-- <html> -->\n<svg width='1'/>", "SVG"),
        (b"<!DOCTYPE svg PUBLIC 'x' [<!ENTITY a 'b'>]><svg:svg/>", "SVG"),
        (b"<?xml version='1.0'?><html xmlns='x'/>", "HTML"),
        (b"<h1>502 Bad Gateway</h1>", "HTML"),
        ("<title>请求过于频繁</title>".encode("gbk"), "请求过于频繁"),
        ("页面".encode("utf-16"), "页面"),
    ],
)
def test_what_is_no_image_is_named(data: bytes, word: str) -> None:
    failure = refusal(data)
    assert failure.cause is Cause.REJECTED
    assert word in failure.detail


@pytest.mark.parametrize("start", ["<html>", "", "{"])
def test_what_is_shown_is_short_and_clean(start: str) -> None:
    failure = refusal(f"{start}  a \x7f\u202e\n\n\tb{'c' * 500}".encode())
    shown = failure.detail.partition(": ")[2]
    assert f"{start} a b".strip() in shown
    assert shown.isprintable()
    assert len(shown) <= (200 if start == "{" else 82)


def test_a_picture_that_is_proven_may_have_an_unreadable_size() -> None:
    data = b"\xff\xd8\xff\xe0" + bytes(100)
    assert refusal(data).cause is Cause.REJECTED
    for digests in ({"md5": hashlib.md5(data)}, {"sha1": hashlib.sha1(data)}):
        known = {name: digest.hexdigest() for name, digest in digests.items()}
        info = inspect(data, max_size=MIB, max_pixels=MIB, **known)
        assert (info.mime, info.width, info.height) == ("image/jpeg", 0, 0)


HEADS = st.sampled_from(
    [b"", *(sample[1][:size] for sample in samples.ALL for size in (4, 16, 48))]
)


@given(head=HEADS, rest=st.binary(max_size=300))
def test_arbitrary_bytes_only_ever_fail_as_an_attempt(head: bytes, rest: bytes) -> None:
    match outcome(head + rest):
        case AttemptFailed() as failure:
            assert failure.cause in (Cause.REJECTED, Cause.TOO_LARGE, Cause.EXPIRED)
            assert failure.detail
        case info:
            assert min(info.width, info.height, info.frames) > 0


@given(sample=st.sampled_from(samples.ALL), data=st.data())
def test_a_damaged_image_only_ever_fails_as_an_attempt(
    sample: tuple[str, bytes, str, int], data: st.DataObject
) -> None:
    damaged = bytearray(sample[1])
    for position in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=8)):
        damaged[position] = data.draw(st.integers(0, 255))
    match outcome(bytes(damaged)):
        case AttemptFailed() as failure:
            assert failure.cause in (Cause.REJECTED, Cause.TOO_LARGE)
        case info:
            assert info.size == len(damaged)


def test_the_size_limit_is_inclusive() -> None:
    data = samples.png()
    assert look(data, max_size=len(data)).size == len(data)
    failure = refusal(data, max_size=len(data) - 1)
    assert failure.cause is Cause.TOO_LARGE
    assert str(len(data)) in failure.detail


def test_the_pixel_limit_is_inclusive() -> None:
    pixels = samples.WIDTH * samples.HEIGHT
    assert look(samples.png(), max_pixels=pixels).width == samples.WIDTH
    failure = refusal(samples.png(), max_pixels=pixels - 1)
    assert failure.cause is Cause.TOO_LARGE
    assert "13 × 7" in failure.detail


def test_a_bomb_of_pixels_is_refused() -> None:
    header = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + header + bytes(4) + b"\0\0\0\0IEND\xaeB`\x82"
    assert "pixels" in refusal(bomb).detail


SOF = b"\xff\xc0\0\x0b\x08\0\x07\0\x0d\x01\x01\x11\0"
GIF = b"GIF89a\x01\0\x01\0\0\0\0"
HEIC_BRAND = box(b"ftyp", b"heic\0\0\0\0heic")


def movie(content: bytes) -> bytes:
    return box(b"ftyp", b"avis\0\0\0\0avis") + box(b"moov", content)


def described(content: bytes) -> bytes:
    item = box(b"pitm", bytes(4) + b"\0\1") + content
    return HEIC_BRAND + box(b"meta", bytes(4) + item) + box(b"mdat", bytes(100))


def located(entries: bytes) -> bytes:
    return box(b"iloc", b"\1\0\0\0\0\0\xff\xff" + entries)


def owned(entries: bytes) -> bytes:
    return box(b"ipma", bytes(4) + b"\0\0\xff\xff" + entries)


AVIF_HEAD = samples.AVIF[: samples.AVIF.index(b"mdat") - 4]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff\xd8" + b"\xff\xe1\0\2" * (MIB // 4), id="jpeg of empty segments"),
        pytest.param(b"\xff\xd8" + SOF + b"\xff\xe1\0\2" * (MIB // 4), id="jpeg with a size"),
        pytest.param(b"\xff\xd8" + SOF + b"\xff" * MIB, id="jpeg of padding"),
        pytest.param(b"\xff\xd8" + SOF + b"\xff\xe1\0\0" * (MIB // 4), id="jpeg of no lengths"),
        pytest.param(GIF + b"\x21\xfe" + b"\1x" * (MIB // 2), id="gif of tiny blocks"),
        pytest.param(GIF + b"\x21\xfe\0" * (MIB // 3), id="gif of empty extensions"),
        pytest.param(
            b"RIFF\xff\xff\xff\x7fWEBPVP8X\n\0\0\0\2" + bytes(9) + b"ANMF\0\0\0\0" * (MIB // 8),
            id="webp of empty frames",
        ),
        pytest.param(AVIF_HEAD + b"\0\0\0\x08free" * (MIB // 8), id="avif of empty boxes"),
        pytest.param(
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
            + struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
            + bytes(4)
            + b"\0\0\0\0tEXt\0\0\0\0" * (MIB // 12),
            id="png of empty chunks",
        ),
        pytest.param(movie(box(b"trak", b"") * (MIB // 8)), id="avif of empty tracks"),
        pytest.param(
            described(located(b"\0\1\0\0\0\0\xff\xff" * 65535)), id="heic of extents without size"
        ),
        pytest.param(
            described(box(b"iprp", owned(b"\0\2\0" * 100) * (MIB // 400))),
            id="heic of many owners",
        ),
        pytest.param(
            described(box(b"iref", bytes(4) + box(b"thmb", b"\0\1\0\0") * (MIB // 12))),
            id="heic of references",
        ),
        pytest.param(
            HEIC_BRAND + box(b"sidx", bytes(22) + b"\xff\xff" + bytes(12 * 65535)) * 9,
            id="heic of long indexes",
        ),
        pytest.param(
            b"II*\0\x08\0\0\0"
            + b"".join(
                struct.pack("<HHHIII", 1, 256, 4, 1, 5, 26 + 18 * page) for page in range(MIB // 18)
            ),
            id="tiff of many pages",
        ),
        pytest.param(b"II+\0\x08\0\0\0\x10" + bytes(7) + b"\xff" * MIB, id="bigtiff"),
        pytest.param(
            b"II*\0\x08\0\0\0\xff\xff"
            + b"\0\1\3\0\xff\xff\xff\xff\0\0\0\0" * 65535
            + b"\x08\0\0\0",
            id="tiff whose directory is its own successor",
        ),
    ],
)
def test_hostile_headers_end_in_a_refusal(data: bytes) -> None:
    spent: list[float] = []
    for _ in range(3):  # the machine may be busy
        begun = time.process_time()
        assert refusal(data).cause is Cause.REJECTED
        spent.append(time.process_time() - begun)
    assert min(spent) <= 0.3


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_an_avif_that_is_to_be_turned(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    file = io.BytesIO()
    Image.new("RGB", (30, 20)).save(file, "AVIF", exif=exif)
    info = inspect(file.getvalue(), max_size=1 << 20, max_pixels=1 << 20)
    assert (info.mime, info.width, info.height) == ("image/avif", 30, 20)
