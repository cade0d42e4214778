"""Small words on a picture are seen, and re-encoding is not taken for words."""

import random

import pytest
from PIL import Image, ImageDraw

from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.content.looks.decoding import LARGE, small
from nonebot_plugin_qqimage.content.looks.small_words import words_between

from ..looks.__main__ import kind_of, look
from ..looks.changing import KEPT, SMALL_WORDS, encoded, on_white, worded
from ..looks.making import Picture, font, photo, screenshot, sticker
from ..looks.small_words import with_strip, written


def seen(data: bytes) -> Picture:
    info = inspect(data, max_size=1 << 30, max_pixels=1 << 30, max_frames=1000)
    return small(data, info, 1 << 30, LARGE)


@pytest.mark.parametrize("number", [1, 2])
def test_words_and_re_encoding_are_told_apart(number: int) -> None:
    for picture in (photo(number), sticker(number)):
        clean = seen(encoded(picture, "JPEG", quality=60))
        for name in ("JPEG 50", "WebP 75", "longest side 200"):
            assert words_between(clean, seen(KEPT[name](picture))) <= 1, name
        for name, change in SMALL_WORDS.items():
            assert words_between(clean, seen(change(picture))) > 1, name
        one, other = (worded(picture, seed, 0.03, 0.5) for seed in (1, 2))
        assert words_between(seen(encoded(one)), seen(encoded(other))) > 1


def test_the_measurement_calls_pictures_what_similar_calls_them() -> None:
    few, clean, written_on = (
        KEPT["GIF palette"],
        KEPT["JPEG 85"],
        SMALL_WORDS["words of 4 % of the height"],
    )
    pictures = [look(change(photo(4))) for change in (few, clean, written_on)]
    assert kind_of(*pictures[:2]) == "same"
    assert kind_of(*pictures[1:]) == "alike"


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (3000, 2), (19, 21), (512, 512)])
def test_small_words_are_looked_for_on_pictures_of_any_shape(size: tuple[int, int]) -> None:
    noise = Image.effect_noise((64, 64), 60)
    picture, flat = noise.resize(size), Image.new("L", size, 128)
    assert words_between(picture, picture) == pytest.approx(0, abs=1e-3)
    assert words_between(flat, flat) == 0
    assert words_between(picture, noise) >= 0


@pytest.mark.parametrize("ink", ["pale", "tinted", "yellow", "strong", "edged", "strip"])
def test_words_are_seen_in_any_colour(ink: str) -> None:
    picture = on_white(photo(3))
    for number, size in enumerate((0.025, 0.04, 0.06)):
        rng = random.Random(number)
        ground = with_strip(picture, size, 0.5) if ink == "strip" else picture
        one = encoded(written(ground, rng, size, 0.5, ink), "JPEG", quality=75)
        other = encoded(written(ground, rng, size, 0.5, ink), "JPEG", quality=60)
        assert words_between(seen(one), seen(other)) > 1, size


def test_several_lines_are_seen_as_one_is() -> None:
    picture = photo(5)
    for lines in (1, 3, 6):
        full = picture
        for line in range(lines):
            full = worded(full, line, 0.04, 0.1 + line * 0.1)
        assert words_between(seen(encoded(picture)), seen(encoded(full, "JPEG", quality=60))) > 1


@pytest.mark.parametrize(("one", "other"), [("100 yen", "700 yen"), ("come home", "come hope")])
def test_one_letter_instead_of_another_one_is_seen(one: str, other: str) -> None:
    for ground in (photo(3), sticker(2), screenshot(4)):
        side = ground.height // 14
        written_on = [on_white(ground).copy() for _ in range(2)]
        for picture, text in zip(written_on, (one, other), strict=True):
            pen = ImageDraw.Draw(picture)
            pen.rectangle((0, side * 6, picture.width, side * 8), fill="white")
            pen.text((side, side * 6), text, fill="black", font=font(side))
        first, second = (seen(encoded(each, "JPEG", quality=75)) for each in written_on)
        assert words_between(first, second) > 1


def test_a_palette_is_seldom_taken_for_words() -> None:
    taken = 0
    for number in range(10):
        for clean in (on_white(photo(number)), on_white(sticker(number))):
            few = seen(encoded(clean.quantize(256)))
            assert few.info["palette"]
            taken += words_between(seen(encoded(clean)), few) > 1
    assert taken <= 4
    assert not seen(encoded(on_white(photo(1)))).info["palette"]


def test_pale_words_are_seen_where_a_picture_has_a_palette() -> None:
    clean = on_white(photo(3))
    words = written(clean, random.Random(1), 0.04, 0.5, "pale")
    assert words_between(seen(encoded(clean)), seen(encoded(words.quantize(256)))) > 1
    assert words_between(seen(encoded(clean.quantize(256))), seen(encoded(words))) > 1


def test_a_brighter_picture_has_no_words_on_it_for_that() -> None:
    for picture in (photo(1), sticker(1), photo(4)):
        brighter = seen(KEPT["brighter by 15 %"](picture))
        assert words_between(seen(encoded(picture)), brighter) <= 1
        words = seen(KEPT["brighter by 15 %"](worded(picture, 1, 0.05, 0.5)))
        assert words_between(seen(encoded(picture)), words) > 1


def test_a_grey_copy_may_lack_words_of_another_colour() -> None:
    picture = on_white(photo(2))
    coloured = written(picture, random.Random(1), 0.03, 0.5, "tinted")
    grey = seen(KEPT["grey"](picture))
    assert words_between(grey, seen(encoded(coloured, "JPEG", quality=80))) > 1


@pytest.mark.parametrize("share", [0.03, 0.06])
def test_coloured_words_on_a_grey_picture_are_seen(share: float) -> None:
    grey = on_white(photo(2)).convert("L").convert("RGB")
    rng = random.Random(1)
    worded_one = written(grey, rng, share, 0.5, "tinted")
    assert words_between(seen(encoded(grey)), seen(encoded(worded_one, "JPEG", quality=80))) > 1
