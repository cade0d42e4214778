"""A third look at two pictures that seem to be the same: whether one has small words on it.

Words of a few hundredths of the height are too small for hashes, and for the second look. In more
pixels, and in colour, each place of some letters is compared with the same place of the other
picture. Re-encoding changes many pixels, but hardly the average of a place; words change that. The
place that differs most is judged by the structure around it, and by what is usual in the same pair.

Two changes are undone before: another brightness, and few colours, as far as giving the other
picture the same colours does not take away structure, which may be words.

The measures were chosen by thousands of pairs such as ``python -m tests.looks.small_words`` makes,
so that words of eight pixels and more are hardly ever missed.
"""

from typing import TYPE_CHECKING, cast

from .places import (
    CELL,
    LETTER,
    Measure,
    averages_apart,
    compared,
    outlier,
    pixels_apart,
    structure,
    structure_apart,
    structure_around,
)

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_LEAST_SIDE = 64
"""Pixels that a side must have for this; smaller pictures are enlarged."""
_AVERAGES = Measure(structure=0.003, least=2.9, usual=1.8)
_COLOURS = Measure(structure=0.003, least=3.4, usual=1.8)
_PIXELS = Measure(structure=0.08, least=3.4, usual=0.6)
_LETTERS = Measure(structure=1.0, least=0.18, usual=1.34, noise=800.0, telling=100.0)
"""One letter instead of another one changes no average, but structure that others keep."""
_TAKEN_AWAY = Measure(structure=0.05, least=3.5, usual=2.0)
"""Structure that a picture may lose by having the other one's few colours."""
_GREY, _COLOURED = 4, 16
"""Levels from grey that all pixels of a grey picture are within, and one of a coloured picture is
not: each with what re-encoding adds."""
_UNKNOWN = 2.0
"""The answer where nothing tells whether there are words."""
_LEVELS = range(33, 250)
"""Levels of colour that tell how much brighter a picture was made: those above may be cut off."""
_FEWEST = 20
"""Pixels with such levels that tell it."""


def words_between(one: "Picture", other: "Picture") -> float:
    """How much one picture has that the other lacks; up to 1 it is no more than re-encoding does.

    Where only one is grey, nobody knows, and it is 2.

    Args:
        one: of `decoding.small`, with `decoding.LARGE`.
        other: the other one.
    """
    import PIL.Image

    width, height = min(one.size, other.size, key=lambda size: size[0] * size[1])
    size = max(_LEAST_SIDE, width), max(_LEAST_SIDE, height)
    a, b = (
        each.convert("RGB").resize(size, PIL.Image.Resampling.HAMMING)  # pyright: ignore[reportUnknownMemberType]
        for each in (one, other)
    )
    colours = sorted(map(_most_coloured, (a, b)))
    if colours[0] <= _GREY and colours[1] > _COLOURED:
        return _UNKNOWN  # words in a colour as bright as the picture would not be in the grey one
    score = _between(a, b)
    mine, theirs = (cast(bytes, each.info.get("palette", b"")) for each in (one, other))
    if score <= 1 or not (mine or theirs):
        return score
    few = _in_colours(a, theirs), _in_colours(b, mine)
    return min(score, max(_between(*few), _taken_away(a, few[0]), _taken_away(b, few[1])))


def _most_coloured(picture: "Picture") -> int:
    """How many levels from grey the pixel is that has most colour."""
    extremes = (each.getextrema() for each in picture.convert("YCbCr").split()[1:])
    return max(abs(cast(int, level) - 128) for pair in extremes for level in pair)


def _between(one: "Picture", other: "Picture") -> float:
    """How much two pictures of one size differ in the place that differs most."""
    channels = compared(*_equally_bright(one, other))
    around = [structure_around(each) for each in channels]
    averages = [averages_apart(each) for each in channels]
    return max(
        outlier(averages[:1], around[:1], _AVERAGES),
        outlier([pixels_apart(channels[0])], around[:1], _PIXELS),
        outlier(averages[1:], around, _COLOURS),
        outlier([structure_apart(channels[0], LETTER)], [structure(channels[0], LETTER)], _LETTERS),
    )


def _equally_bright(one: "Picture", other: "Picture") -> "tuple[Picture, Picture]":
    """Both, where one was made brighter, without that."""
    brighter = _brighter(one, other)
    # the darker one is changed: what became white in the other cannot be told apart there
    if brighter > 1:
        return one, _lit(other, brighter)
    return _lit(one, 1 / brighter), other


def _brighter(one: "Picture", other: "Picture") -> float:
    """How many times as bright one picture was made as another one; 1 if nothing tells."""
    import PIL.Image

    some = max(1, one.width // (2 * CELL)), max(1, one.height // (2 * CELL))
    levels = (each.resize(some, PIL.Image.Resampling.NEAREST).tobytes() for each in (one, other))
    ratios = sorted(
        mine / theirs
        for mine, theirs in zip(*levels, strict=True)
        if mine in _LEVELS and theirs in _LEVELS
    )
    return ratios[len(ratios) // 2] if len(ratios) >= _FEWEST else 1.0


def _lit(picture: "Picture", times: float) -> "Picture":
    """A picture, so many times as bright."""
    return picture.point([min(255, round(level * times)) for level in range(256)] * 3)


def _in_colours(picture: "Picture", palette: bytes) -> "Picture":
    """A picture with the colours of a palette only; unchanged if that is empty."""
    import PIL.Image

    if not palette:
        return picture
    colours = PIL.Image.new("P", (1, 1))
    colours.putpalette(palette)
    return picture.quantize(palette=colours, dither=PIL.Image.Dither.NONE).convert("RGB")


def _taken_away(picture: "Picture", few: "Picture") -> float:
    """How much structure a picture loses by having few colours; up to 1 it may be by that alone."""
    if few is picture:
        return 0.0
    channels = compared(picture, few)
    around = [structure_around(each) for each in channels]
    taken = [structure_apart(each) for each in channels]
    return max(
        outlier(taken[:1], around[:1], _TAKEN_AWAY), outlier(taken[1:], around[1:], _TAKEN_AWAY)
    )
