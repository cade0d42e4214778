"""Files of every format, in many forms: recognised as Pillow loads them, refused when cut."""

import hashlib
import io
import os
import random
import time
import tracemalloc
import warnings
from collections.abc import Iterator
from functools import cache

import pytest
from PIL import Image

from nonebot_plugin_qqimage.content.info import ImageInfo
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.errors import AttemptFailed

from .variants import common, heif, plain
from .variants.boxes import fragmented
from .variants.pictures import SIZE, Variant, with_heif

MAKERS = {
    "png": common.png,
    "jpeg": common.jpeg,
    "gif": common.gif,
    "webp": common.webp,
    "bmp": plain.bmps,
    "tiff": plain.tiffs,
    "avif": heif.avif,
    "heic": heif.heic,
}
EXCEPTIONS = {
    "bmp 16 ": "Pillow does not know the short header of OS/2 2.x, which Windows and browsers read",
}
"""The beginnings of the names of files that Pillow does not load as we recognise them, and why."""
UNSEEN_CUTS = {
    "tiff raw of three pages": "its last byte only makes the length even",
    "tiff tiff_lzw of three pages": "its last byte only makes the length even",
}
"""Files whose last byte is no loss, and why."""
CUTS = 20
MUTATIONS = max(3000, int(os.environ.get("QQIMAGE_TEST_MUTATIONS") or 0))
KINDS = pytest.mark.parametrize("kind", MAKERS)


@cache
def made(kind: str) -> list[Variant]:
    """The files of one format; they are made once for all tests."""
    return [*MAKERS[kind]()]


def look(data: bytes, **digests: str) -> ImageInfo:
    return inspect(data, max_size=1 << 30, max_pixels=1 << 40, **digests)


def is_accepted(data: bytes) -> bool:
    try:
        look(data)
    except AttemptFailed:
        return False
    return True


def cuts(picture: bytes) -> Iterator[bytes]:
    """Beginnings of a file, evenly spaced, and all but its last byte."""
    for number in range(1, CUTS):
        yield picture[: number * len(picture) // CUTS]
    yield picture[:-1]


def by_pillow(data: bytes) -> tuple[str, int, int, int]:
    """The type, width, height and frames of a file that Pillow has decoded."""
    with warnings.catch_warnings(), with_heif():
        warnings.simplefilter("ignore")
        picture = Image.open(io.BytesIO(data))
        size, count = picture.size, getattr(picture, "n_frames", 1)
        picture.load()
    mime = Image.MIME[picture.format or ""].replace("heif", "heic")
    return mime, *size, count


def by_us(data: bytes) -> tuple[str, int, int, int]:
    info = look(data)
    return info.mime, info.width, info.height, info.frames


def test_there_are_many() -> None:
    assert sum(len(made(kind)) for kind in MAKERS) >= 600


@KINDS
def test_they_are_recognised_as_pillow_loads_them(kind: str) -> None:
    differences = [
        (variant.name, ours, theirs)
        for variant in made(kind)
        if not variant.name.startswith((*EXCEPTIONS,))
        and (ours := by_us(variant.data)) != (theirs := by_pillow(variant.data))
    ]
    assert differences == []


def test_exceptions_are_recognised_all_the_same() -> None:
    for variant in made("bmp"):
        if variant.name.startswith((*EXCEPTIONS,)):
            assert by_us(variant.data) == ("image/bmp", *SIZE, 1)
            with pytest.raises(OSError, match="header type"):
                by_pillow(variant.data)


def test_a_separate_fallback_is_no_frame_of_an_animation() -> None:
    data = common.apng_with_fallback().data
    assert by_pillow(data) == ("image/png", *SIZE, 4)  # which counts it
    assert by_us(data) == ("image/png", *SIZE, 3)


@KINDS
def test_every_cut_is_refused(kind: str) -> None:
    accepted = [
        (variant.name, len(cut), len(variant.picture))
        for variant in made(kind)
        for cut in cuts(variant.picture)
        if is_accepted(cut) and not (variant.name in UNSEEN_CUTS and cut == variant.picture[:-1])
    ]
    assert accepted == []


@KINDS
def test_a_digest_that_fits_makes_any_cut_acceptable(kind: str) -> None:
    for variant in made(kind)[::7]:
        for cut in cuts(variant.picture):
            if len(cut) < 64:
                continue
            assert look(cut, md5=hashlib.md5(cut).hexdigest()).size == len(cut), variant.name
            assert look(cut, sha1=hashlib.sha1(cut).hexdigest()).size == len(cut), variant.name
            if not is_accepted(cut):
                with pytest.raises(AttemptFailed):
                    look(cut, md5="0" * 32, sha1="0" * 40)


def test_an_animation_in_fragments_is_counted_and_its_cuts_are_refused() -> None:
    for brand, mime in ((b"avis", "image/avif"), (b"hevc", "image/heic")):
        data = fragmented(brand, [bytes(90), bytes(500), bytes(7), bytes(60)], (40, 30))
        assert by_us(data) == (mime, 40, 30, 4)
        # what ends between two fragments is a shorter animation
        ends = {at - 4 for at in range(len(data)) if data[at : at + 4] == b"moof"}
        accepted = {end for end in range(len(data)) if is_accepted(data[:end])}
        assert accepted <= {end + more for end in ends for more in range(8)}


@KINDS
def test_damaged_files_cost_little_and_never_break_anything(kind: str) -> None:
    dice, variants = random.Random(kind), made(kind)
    for _ in range(MUTATIONS // len(MAKERS)):
        data = mutated(dice, dice.choice(variants).data)
        tracemalloc.start()
        begun = time.process_time()
        try:
            is_accepted(data)
            spent, peak = time.process_time() - begun, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert spent <= 0.3
        assert peak <= 2 * len(data) + 65536  # for what small ones take all the same


def mutated(dice: random.Random, data: bytes) -> bytes:
    """A file with some bytes changed, most of them in its headers; some are cut or repeated."""
    damaged = bytearray(data)
    for _ in range(dice.randint(1, 12)):
        reach = len(damaged) if dice.random() < 0.3 else min(len(damaged), 600)
        at = dice.randrange(reach)
        new = dice.choice((b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1"))
        damaged[at : at + len(new)] = new if dice.random() < 0.5 else dice.randbytes(len(new))
    if dice.random() < 0.2:
        at = dice.randrange(len(damaged))
        damaged[at:at] = damaged[dice.randrange(len(damaged)) :][:200] * dice.randint(1, 40)
    return bytes(damaged[: dice.randrange(len(damaged))] if dice.random() < 0.1 else damaged)
