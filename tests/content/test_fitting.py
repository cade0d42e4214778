"""Pictures for vision models: within the bounds asked for, and looking as they should."""

import asyncio
import base64
import io
import struct
import sys
import threading
import warnings
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageOps, features

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.content.decoding import decoding
from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.content.reencoding import encoding
from nonebot_plugin_qqimage.errors import ImageRejected, ImageUnavailable, QQImageError
from nonebot_plugin_qqimage.fetch.fetcher import Fetched, Fetcher
from nonebot_plugin_qqimage.image import Image
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.pipeline.arrival import StoredImage
from nonebot_plugin_qqimage.pipeline.pipeline import Pipeline
from nonebot_plugin_qqimage.serving.links import Links
from nonebot_plugin_qqimage.store.image_store import ImageStore

from .. import samples

Picture = PIL.Image.Image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
NOISE = PIL.Image.effect_noise((120, 90), 80)
"""What no encoder makes small."""


class Shelf:
    """Where the handle finds this picture, and nothing else."""

    def __init__(self, data: bytes, **facts: Any) -> None:
        self.data = data
        info = inspect(data, max_size=1 << 30, max_pixels=1 << 40)
        self.info: ImageInfo = replace(info, **facts)
        self.reads = 0

    async def resolve(self, reference: ImageReference) -> StoredImage:
        return StoredImage(reference, self.info, "shelf", Path(), self.data)

    async def stored(self, found: StoredImage) -> StoredImage:
        return found

    async def read_or_fetch(self, stored: StoredImage) -> bytes | None:
        self.reads += 1
        return stored.data


def image(data: bytes, **facts: Any) -> Image:
    return handle(Shelf(data, **facts))


def handle(shelf: Shelf) -> Image:
    return Image(ImageReference(file="a.jpg"), cast(Pipeline, shelf), Links(ScopedConfig()))


def encoded(picture: Picture, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def animated(kind: str, frames: int, size: tuple[int, int] = (40, 30)) -> bytes:
    """Frame `n` is grey of the shade `10 * n + 5`."""
    shades = [(10 * n + 5,) * 3 for n in range(frames)]
    first, *rest = [PIL.Image.new("RGB", size, shade) for shade in shades]
    exact = {"lossless": True} if kind == "WEBP" else {}
    return encoded(first, kind, save_all=True, append_images=rest, duration=50, **exact)


def oriented(kind: str, orientation: int, mode: str = "RGB") -> bytes:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    exact = {"lossless": True} if kind == "WEBP" else {}
    return encoded(corners().convert(mode), kind, exif=exif, **exact)


def corners() -> Picture:
    """Red, green and blue corners on white, from the upper left on."""
    picture = PIL.Image.new("RGB", (48, 32), WHITE)
    for colour, place in ((RED, (0, 0)), (GREEN, (32, 0)), (BLUE, (32, 16))):
        picture.paste(colour, (*place, place[0] + 16, place[1] + 16))
    return picture


def taken_apart(url: str) -> tuple[str, bytes]:
    mime, _, body = url.removeprefix("data:").partition(";base64,")
    return mime, base64.b64decode(body, validate=True)


def opened(url: str) -> Picture:
    mime, data = taken_apart(url)
    picture = PIL.Image.open(io.BytesIO(data))
    assert PIL.Image.MIME[picture.format or ""] == mime
    picture.load()
    return picture


def near(one: Any, other: tuple[int, ...]) -> bool:
    return len(one) == len(other) and all(abs(a - b) < 16 for a, b in zip(one, other, strict=True))


async def wait(awaitable: Any) -> Any:
    return await asyncio.wait_for(awaitable, 60)


@pytest.fixture
def no_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "PIL"]:
        monkeypatch.setitem(sys.modules, name, None)


# As stored


@pytest.mark.usefixtures("no_pillow")
@pytest.mark.parametrize("sample", samples.ALL, ids=lambda sample: sample[0])
async def test_without_arguments_it_is_what_is_stored(sample: tuple[str, bytes, str, int]) -> None:
    _, data, mime, _ = sample
    assert taken_apart(await image(data).data_url()) == (mime, data)


@pytest.mark.usefixtures("no_pillow")
async def test_bounds_without_pillow_say_what_to_install() -> None:
    for kind in (QQImageError, ImportError):  # which it was in earlier versions
        with pytest.raises(kind, match=r'pip install "nonebot-plugin-qqimage\[vision\]"'):
            await image(samples.png()).data_url(max_bytes=1000)


@pytest.mark.parametrize(
    ("data", "formats"),
    [
        (samples.png(), ["png"]),
        (samples.JPEG, ("image/jpeg",)),
        (samples.JPEG, ("PNG", "JPG")),
        (samples.JPEG_PROGRESSIVE, "jpeg"),
        (samples.WEBP, ["Image/WebP"]),
        (samples.GIF, ["gif"]),
        (samples.HEIC, ["heif", "jpeg"]),
        (samples.bmp(), None),
    ],
)
async def test_what_is_acceptable_stays_as_it_is(data: bytes, formats: Any) -> None:
    as_stored = await image(data).data_url()
    width, height = samples.HEIC_SIZE if data == samples.HEIC else (samples.WIDTH, samples.HEIGHT)
    fitting = await image(data).data_url(
        max_bytes=len(as_stored), max_pixels=width * height, formats=formats
    )
    assert fitting == as_stored


async def test_one_less_than_it_has_is_not_enough() -> None:
    picture = image(encoded(NOISE))
    as_stored = await picture.data_url()
    assert len(await picture.data_url(max_bytes=len(as_stored) - 1)) < len(as_stored)
    smaller = opened(await picture.data_url(max_pixels=120 * 90 - 1))
    assert 100 * 80 < smaller.width * smaller.height < 120 * 90


@pytest.mark.parametrize(
    "arguments",
    [
        {"max_bytes": 0},
        {"max_pixels": -1},
        {"formats": ()},
        {"formats": ("heic", "bmp")},
        {"animation": "video"},
    ],
    ids=str,
)
async def test_what_cannot_be_meant_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        await image(samples.png()).data_url(**arguments)


async def test_an_unknown_format_is_told_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'jpeg2000'; known are png, jpeg, webp, gif, "):
        await image(samples.png()).data_url(formats=("png", "jpeg2000"))


async def test_what_cannot_fit_says_so() -> None:
    with pytest.raises(ValueError, match="max_bytes=40"):
        await image(encoded(NOISE)).data_url(max_bytes=40)


# Never more than asked


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(1, 160),
    height=st.integers(1, 160),
    mode=st.sampled_from(["RGB", "RGBA", "L", "P", "1"]),
    max_bytes=st.none() | st.integers(1500, 20_000),
    max_pixels=st.none() | st.integers(1, 10_000),
    formats=st.none()
    | st.lists(st.sampled_from(["png", "jpeg", "webp", "gif"]), min_size=1, unique=True),
)
async def test_it_never_gets_more_than_it_asked_for(
    width: int,
    height: int,
    mode: str,
    max_bytes: int | None,
    max_pixels: int | None,
    formats: list[str] | None,
) -> None:
    noise = PIL.Image.effect_noise((width, height), 90)
    colours = PIL.Image.merge("RGBA", (noise, ImageOps.flip(noise), ImageOps.mirror(noise), noise))
    data = encoded(colours.convert(mode))
    url = await wait(
        image(data).data_url(max_bytes=max_bytes, max_pixels=max_pixels, formats=formats)
    )
    picture = opened(url)
    assert len(url) <= (max_bytes or sys.maxsize)
    assert picture.width * picture.height <= (max_pixels or sys.maxsize)
    assert (picture.format or "").lower() in (formats or ["png", "jpeg", "webp"])


@pytest.mark.parametrize("size", [(3000, 1), (1, 3000), (200, 3)])
async def test_even_a_line_gets_within_the_bounds(size: tuple[int, int]) -> None:
    picture = opened(await image(encoded(PIL.Image.new("L", size))).data_url(max_pixels=10))
    assert 1 <= picture.width * picture.height <= 10


async def test_a_long_picture_fits_into_every_encoder() -> None:
    strip = PIL.Image.new("1", (20_000, 2))
    assert opened(await image(encoded(strip)).data_url(formats=["webp"])).width <= 16_383


async def test_quality_goes_before_pixels() -> None:
    large = NOISE.resize((480, 360))
    photo = image(encoded(large, "JPEG", quality=98))
    url = await photo.data_url(max_bytes=len(await photo.data_url()) * 2 // 3)
    assert opened(url).size == large.size


# Looking as it should


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_it_is_turned_upright(orientation: int) -> None:
    data = oriented("PNG", orientation)
    upright = ImageOps.exif_transpose(PIL.Image.open(io.BytesIO(data)))
    picture = opened(await image(data).data_url(formats=["png"]))
    assert picture.size == upright.size
    assert picture.tobytes() == upright.tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF"])
async def test_every_type_is_turned_upright_and_only_once(kind: str) -> None:
    formats = ["jpeg"] if kind == "JPEG" else ["png"]
    picture = opened(await image(oriented(kind, 6)).data_url(formats=formats))
    assert picture.size == (32, 48)
    places = [(28, 4), (28, 44), (4, 44), (4, 4)]
    found = [picture.convert("RGB").getpixel(place) for place in places]
    assert all(map(near, found, (RED, GREEN, BLUE, WHITE))), found
    again = await image(taken_apart(await image(oriented(kind, 6)).data_url(max_pixels=999))[1])
    assert (again.info.width, again.info.height) == (25, 38)


@pytest.mark.skipif("avif" not in features.get_supported(), reason="this Pillow cannot write AVIF")
async def test_an_avif_is_turned_by_who_decodes_it() -> None:
    shelf = Shelf(oriented("AVIF", 1))
    shelf.data = oriented("AVIF", 6)
    assert taken_apart(await handle(shelf).data_url(max_pixels=5000))[1] == shelf.data
    picture = opened(await handle(shelf).data_url(formats=["png"]))
    assert picture.size == (32, 48)
    assert near(picture.getpixel((28, 4)), RED)


async def test_the_transparent_stays_transparent_where_it_can() -> None:
    picture = NOISE.convert("RGBA")
    picture.putalpha(PIL.Image.linear_gradient("L").resize(picture.size))
    cut_out = image(encoded(picture, "TIFF"))
    same = opened(await cut_out.data_url(formats=["png", "jpeg"]))
    assert same.tobytes() == picture.tobytes()
    for formats in (None, ["png", "jpeg"], ["webp", "gif"]):
        small = opened(await cut_out.data_url(max_bytes=6000, formats=formats))
        assert small.mode == "RGBA"


@pytest.mark.parametrize("kind", ["jpeg", "gif"])
async def test_it_is_shown_on_white_where_it_cannot(kind: str) -> None:
    data = encoded(PIL.Image.new("RGBA", (20, 20), (0, 0, 0, 0)))
    picture = opened(await image(data).data_url(formats=[kind])).convert("RGB")
    assert near(picture.getpixel((10, 10)), WHITE)


async def test_an_alpha_that_hides_nothing_is_no_reason_for_a_large_png() -> None:
    picture = image(encoded(NOISE.resize((400, 300)).convert("RGBA")))
    url = await picture.data_url(max_bytes=60_000, formats=["png", "jpeg"])
    assert opened(url).format == "JPEG"


def palette() -> Picture:
    picture = corners().quantize(4)
    picture.info["transparency"] = picture.getpixel((4, 28))
    return picture


DEEP = PIL.Image.new("I;16", (20, 20), 40_000)


@pytest.mark.parametrize(
    ("data", "place", "colour"),
    [
        pytest.param(encoded(palette(), "GIF"), (4, 4), (*RED, 255), id="palette"),
        pytest.param(encoded(palette(), "GIF"), (4, 28), (*WHITE, 0), id="transparent palette"),
        pytest.param(encoded(DEEP, "TIFF"), (9, 9), (156, 156, 156), id="16 bits"),
        pytest.param(
            encoded(corners().convert("CMYK"), "JPEG", quality=95), (4, 4), RED, id="CMYK"
        ),
        pytest.param(encoded(corners().convert("1"), "BMP"), (4, 28), WHITE, id="1 bit"),
    ],
)
async def test_colours_survive(data: bytes, place: tuple[int, int], colour: Any) -> None:
    picture = opened(await image(data).data_url(formats=["png"]))
    found: Any = picture.getpixel(place)
    assert near(found, colour) or (len(colour) == 4 and found[3] == colour[3] == 0), found


async def test_nobody_is_told_where_a_photo_was_taken() -> None:
    exif = PIL.Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010E] = "secret words"
    hidden = {"exif": exif, "icc_profile": b"secret profile", "comment": b"secret comment"}
    data = encoded(NOISE.convert("RGB"), "JPEG", quality=95, **hidden)
    assert data.count(b"secret") == 3
    for kind in ("png", "jpeg", "webp", "gif"):
        picture = image(data)
        small = taken_apart(await picture.data_url(max_pixels=5000, formats=[kind]))[1]
        other = taken_apart(await picture.data_url(max_bytes=5000, formats=[kind]))[1]
        for made in (small, other):
            assert b"secret" not in made
            assert b"exif" not in made.lower()


# Animations

ANIMATED = ["GIF", "WEBP", "PNG"]


@pytest.mark.parametrize("kind", ANIMATED)
@pytest.mark.parametrize("arguments", [{"max_bytes": 90_000}, {"animation": "first"}], ids=str)
async def test_an_animation_becomes_its_first_frame(kind: str, arguments: dict[str, Any]) -> None:
    data = animated(kind, 3)
    picture = opened(await image(data).data_url(**arguments))
    assert getattr(picture, "n_frames", 1) == 1
    assert picture.size == (40, 30)
    assert near(picture.convert("RGB").getpixel((20, 15)), (5, 5, 5))


@pytest.mark.parametrize("kind", ANIMATED)
async def test_an_animation_can_be_kept(kind: str) -> None:
    picture = image(animated(kind, 3))
    assert await picture.data_url(animation="keep", max_bytes=90_000) == await picture.data_url()
    still = opened(await picture.data_url(animation="keep", formats=["jpeg"]))
    assert near(still.getpixel((20, 15)), (5, 5, 5))


@pytest.mark.parametrize("kind", ANIMATED)
@pytest.mark.parametrize(
    ("frames", "columns", "shown"),
    [(2, 2, [0, 1]), (5, 3, [0, 1, 2, 3, 4]), (21, 3, [0, 2, 5, 7, 10, 12, 15, 17, 20])],
)
async def test_a_sheet_shows_evenly_spaced_frames(
    kind: str, frames: int, columns: int, shown: list[int]
) -> None:
    sheet = opened(await image(animated(kind, frames)).data_url(animation="sheet"))
    rows = -(-len(shown) // columns)
    assert sheet.size == (columns * 44 - 4, rows * 34 - 4)
    centres = [(20 + n % columns * 44, 15 + n // columns * 34) for n in range(len(shown))]
    found = [sheet.convert("RGB").getpixel(centre) for centre in centres]
    assert all(near(one, (10 * n + 5,) * 3) for one, n in zip(found, shown, strict=True)), found


async def test_a_sheet_keeps_to_the_bounds() -> None:
    picture = image(animated("GIF", 9, (900, 700)))
    sheet = opened(await picture.data_url(animation="sheet"))
    assert 4 * decoding._CELL < sheet.width * sheet.height < 10 * decoding._CELL
    small = await picture.data_url(animation="sheet", max_pixels=90_000, max_bytes=3000)
    assert len(small) <= 3000
    assert opened(small).width * opened(small).height <= 90_000


async def test_a_still_picture_has_no_sheet() -> None:
    picture = image(samples.png())
    assert await picture.data_url(animation="sheet") == await picture.data_url()


@pytest.mark.parametrize(("frames", "pixels"), [(4, 1 << 40), (1 << 40, 40 * 30 * 4)])
async def test_a_sheet_of_an_endless_animation_is_of_its_beginning(
    frames: int, pixels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "_MAX_FRAMES_PASSED", frames)
    monkeypatch.setattr(decoding, "_MAX_PIXELS_PASSED", pixels)
    sheet = opened(await image(animated("GIF", 20)).data_url(animation="sheet"))
    assert sheet.size == (84, 64)
    assert near(sheet.convert("RGB").getpixel((64, 49)), (35, 35, 35))


async def test_announced_frames_may_be_missing() -> None:
    sheet = await image(animated("GIF", 3), frames=9).data_url(animation="sheet")
    assert near(opened(sheet).convert("RGB").getpixel((44 + 20, 34 + 15)), WHITE)


@pytest.mark.skipif("avif" not in features.get_supported(), reason="this Pillow cannot read AVIF")
async def test_an_animated_avif_is_like_the_others() -> None:
    picture = image(samples.AVIF_ANIMATED)
    assert opened(await picture.data_url(formats=["png"])).size == (13, 7)
    assert opened(await picture.data_url(animation="sheet")).size == (30, 18)


# Hostile and damaged ones


async def test_a_type_that_pillow_cannot_read_says_so() -> None:
    with pytest.raises(ImageRejected, match=r"a\.jpg: re-encoding failed .*cannot .*image/heic"):
        await image(samples.HEIC).data_url(formats=["png", "jpeg"])


HEADER = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
BOMB = b"".join(
    (samples.png()[:12], HEADER, struct.pack(">I", zlib.crc32(HEADER)), samples.png()[33:])
)


def overhanging() -> bytes:
    """A GIF of 10 × 10 pixels with a frame of 9000 × 9000."""
    data = encoded(PIL.Image.new("P", (10, 10)), "GIF")
    place = data.index(b"\x2c\0\0\0\0\x0a\0\x0a\0")
    return data[: place + 5] + struct.pack("<HH", 9000, 9000) + data[place + 9 :]


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        pytest.param(BOMB, {}, id="header"),
        pytest.param(BOMB, {"width": 10, "height": 10}, id="header that was read otherwise"),
        pytest.param(overhanging(), {}, id="frame"),
    ],
)
async def test_a_decompression_bomb_is_refused(data: bytes, facts: dict[str, Any]) -> None:
    with pytest.raises(ImageRejected, match=r"decompression bomb|× \d+ pixels where"):
        await image(data, **facts).data_url(max_pixels=50)


async def test_a_later_frame_is_no_way_to_a_bomb() -> None:
    data = animated("GIF", 3, (10, 10))
    place = data.rindex(b"\x2c\0\0\0\0\x0a\0\x0a\0")
    data = data[: place + 5] + struct.pack("<HH", 9000, 9000) + data[place + 9 :]
    with pytest.raises(ImageRejected, match="9000 × 9000"):
        await image(data).data_url(animation="sheet")


async def test_no_other_decoder_has_a_look() -> None:
    disguised = image(encoded(NOISE), mime="image/jpeg")
    with pytest.raises(ImageRejected, match="cannot read this image/jpeg"):
        await disguised.data_url(max_pixels=50)


async def test_pillow_warns_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 1000)  # it warns up to twice as much
    before = list(warnings.filters)
    assert opened(await image(encoded(corners(), "BMP")).data_url(max_pixels=500)).width == 27
    assert warnings.filters == before


async def test_scans_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(corners(), "JPEG", progressive=True)
    assert opened(await image(data).data_url(max_pixels=500)).width == 27
    monkeypatch.setattr(decoding, "_MAX_SCANNED", 48 * 32 * 9)
    with pytest.raises(ImageRejected, match="10 scans"):
        await image(data).data_url(max_pixels=500)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
async def test_a_truncated_picture_is_a_clear_error(kind: str) -> None:
    data = encoded(NOISE.convert("RGB"), kind)
    shelf = Shelf(data)
    shelf.data = data[: len(data) * 2 // 3]
    with pytest.raises(ImageUnavailable, match=f"Pillow cannot read this {shelf.info.mime}"):
        await handle(shelf).data_url(max_pixels=50)


WHOLE = [
    encoded(NOISE.resize((24, 18)).convert("RGBA")),
    oriented("JPEG", 6),
    encoded(corners(), "JPEG", progressive=True),
    encoded(corners(), "TIFF", compression="tiff_lzw"),
    encoded(corners(), "WEBP"),
    encoded(palette(), "GIF"),
    animated("GIF", 4),
    animated("PNG", 4),
    animated("WEBP", 4),
    samples.AVIF,
    samples.AVIF_ANIMATED,
]


@settings(max_examples=60, deadline=None)
@given(
    data=st.sampled_from(WHOLE),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=6),
    animation=st.sampled_from(["first", "sheet", "keep"]),
)
async def test_damage_gives_a_picture_or_a_clear_error(
    data: bytes, changes: list[tuple[float, bytes]], animation: Any
) -> None:
    damaged = bytearray(data)
    for place, new in changes:
        at = int(place * (len(data) - len(new)))
        damaged[at : at + len(new)] = new
    shelf = Shelf(data)
    shelf.data = bytes(damaged)
    fitting = handle(shelf).data_url(max_bytes=4000, max_pixels=900, animation=animation)
    (outcome,) = await wait(asyncio.gather(fitting, return_exceptions=True))
    if isinstance(outcome, str):
        assert len(outcome) <= 4000
    else:
        assert isinstance(outcome, ImageRejected), outcome
        assert changes


# While the bot goes on


class Gate:
    """Work in the thread that waits until the event loop opens the gate."""

    def __init__(self, work: Callable[..., bytes]) -> None:
        self.work = work
        self.entered = threading.Event()
        self.open = threading.Event()
        self.inside = self.most = 0

    def __call__(self, *arguments: Any) -> bytes:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.entered.set()
        assert self.open.wait(30), "the event loop is blocked"
        self.inside -= 1
        return self.work(*arguments)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate(encoding._written)
    monkeypatch.setattr(encoding, "_written", gate)
    return gate


async def test_the_event_loop_goes_on_and_one_works_at_a_time(gate: Gate) -> None:
    shelves = [Shelf(encoded(NOISE)) for _ in range(4)]
    tasks = [asyncio.ensure_future(handle(shelf).data_url(formats=["jpeg"])) for shelf in shelves]
    while not gate.entered.is_set():
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    assert sum(shelf.reads for shelf in shelves) == 1  # those who wait hold nothing
    gate.open.set()
    await wait(asyncio.gather(*tasks))
    assert gate.most == 1


async def test_a_slow_download_keeps_nobody_waiting() -> None:
    slow, arrived = Shelf(encoded(NOISE)), asyncio.Event()
    resolve = slow.resolve

    async def resolve_slowly(reference: ImageReference) -> StoredImage:
        await arrived.wait()
        return await resolve(reference)

    slow.resolve = resolve_slowly
    first = asyncio.ensure_future(handle(slow).data_url(formats=["jpeg"]))
    await asyncio.sleep(0)
    assert opened(await wait(image(encoded(NOISE)).data_url(formats=["jpeg"]))).format == "JPEG"
    arrived.set()
    assert opened(await wait(first)).format == "JPEG"


async def test_those_who_give_up_do_not_pile_up(gate: Gate) -> None:
    for _ in range(5):
        task = asyncio.ensure_future(image(encoded(NOISE)).data_url(formats=["jpeg"]))
        while not gate.entered.is_set():
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    last = asyncio.ensure_future(image(encoded(NOISE)).data_url(formats=["jpeg"]))
    gate.open.set()
    assert opened(await wait(last)).format == "JPEG"
    assert gate.most == 1


# For histories


class OneSource:
    """Has this picture, and gives it once."""

    def __init__(self, data: bytes) -> None:
        self.data = [data]

    async def fetch(
        self, reference: ImageReference, *_: object
    ) -> tuple[Fetched | None, tuple[()]]:
        data = self.data.pop()
        return Fetched(inspect(data, max_size=1 << 20, max_pixels=1 << 20), data, "test"), ()

    async def close(self) -> None: ...


async def test_a_uri_kept_in_a_history_opens_the_picture_again(tmp_path: Path) -> None:
    data = samples.png(shade=7)
    store = ImageStore(tmp_path, max_size=1 << 30, max_age=1e9)
    services = Services.of(ScopedConfig(), store, cast(Fetcher, OneSource(data)), dict)
    try:
        uri = await services.resolver.image(ImageReference(url="http://a.test/")).uri()
        assert uri.startswith("qqimage:")
        again = services.resolver.image(uri)
        assert await again.uri() == uri
        assert await again.data_url() == "data:image/png;base64," + base64.b64encode(data).decode()
    finally:
        await services.pipeline.close()
