"""Small words on a picture are seen, and re-encoding is not taken for words."""

import pytest
from PIL import Image

from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.content.looks.decoding import LARGE, small
from nonebot_plugin_qqimage.content.looks.small_words import words_between

from ..looks.changing import KEPT, SMALL_WORDS, encoded, worded
from ..looks.making import Picture, photo, sticker


def seen(data: bytes) -> Picture:
    info = inspect(data, max_size=1 << 30, max_pixels=1 << 30, max_frames=1000)
    return small(data, info, 1 << 30, LARGE)


@pytest.mark.parametrize("number", [1, 2])
def test_words_and_re_encoding_are_told_apart(number: int) -> None:
    for picture in (photo(number), sticker(number)):
        clean = seen(encoded(picture, "JPEG", quality=60))
        for name in ("JPEG 50", "WebP 75", "longest side 200", "grey"):
            assert words_between(clean, seen(KEPT[name](picture))) <= 1, name
        for name, change in SMALL_WORDS.items():
            assert words_between(clean, seen(change(picture))) > 1, name
        one, other = (worded(picture, seed, 0.03, 0.5) for seed in (1, 2))
        assert words_between(seen(encoded(one)), seen(encoded(other))) > 1


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (3000, 2), (19, 21), (512, 512)])
def test_small_words_are_looked_for_on_pictures_of_any_shape(size: tuple[int, int]) -> None:
    noise = Image.effect_noise((64, 64), 60)
    picture, flat = noise.resize(size), Image.new("L", size, 128)
    assert words_between(picture, picture) == pytest.approx(0, abs=1e-3)
    assert words_between(flat, flat) == 0
    assert words_between(picture, noise) >= 0
