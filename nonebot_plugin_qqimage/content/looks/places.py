"""What two pictures differ by in each place: in one that is as large as some letters.

Pillow calculates with whole pictures at the speed of C, also without numpy.
"""

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

CELL = 4
"""Pixels of the side of a cell."""
_AROUND = 1
"""Cells around a place whose structure counts, too: colours run over edges."""
_MOST_PLACES = 0.9
"""Share of the places that differ no more than what counts as usual for the pair."""
_SAMPLED = 3
"""Of so many places one says what is usual; sorting all of them would take too long."""
_FEWEST = 20
"""Places that tell it at least."""


class Place(NamedTuple):
    """The shape of a place, in cells."""

    columns: int
    rows: int


LINE = Place(4, 1)
"""Words are longer than high."""
LETTER = Place(3, 3)


class Measure(NamedTuple):
    """How much places may differ in one way when a picture is re-encoded.

    All but a few in a hundred pictures keep within it. With less, more words are seen, and more
    re-encodings are taken for words.
    """

    structure: float
    """Share of the variance of a place that counts as expected there, besides the noise."""
    least: float
    """How many times as much as expected any place may differ, by the root of squares."""
    usual: float
    """How many times as much as the usual place it may differ besides."""
    noise: float = 3.0
    """Variance, in levels of brightness or colour, that re-encoding adds anywhere."""
    telling: float = -1.0
    """Variance above which a place tells what is usual."""


class Channel(NamedTuple):
    """One channel of two pictures, by averages of their cells."""

    a: "Picture"
    b: "Picture"
    aa: "Picture"
    """Of the squares of the first picture's pixels."""
    bb: "Picture"
    squares: "Picture"
    """Of the squares of what the pixels differ by."""


def compared(one: "Picture", other: "Picture") -> list[Channel]:
    """The brightness, blue and red of two pictures of one size.

    Args:
        one: in RGB.
        other: in RGB, too.
    """
    pairs = zip(*(each.convert("YCbCr").split() for each in (one, other)), strict=True)
    return [_channel(*pair) for pair in pairs]


def _channel(one: "Picture", other: "Picture") -> Channel:
    from PIL import ImageMath, ImageStat

    def even(picture: "Picture") -> "Picture":
        mean = ImageStat.Stat(picture).mean[0]
        return ImageMath.lambda_eval(lambda given: given["x"] - mean, x=picture.convert("F"))

    def product(x: "Picture", y: "Picture") -> "Picture":
        return ImageMath.lambda_eval(lambda given: given["x"] * given["y"], x=x, y=y)

    a, b = even(one), even(other)
    apart = ImageMath.lambda_eval(lambda given: given["a"] - given["b"], a=a, b=b)
    made = a, b, product(a, a), product(b, b), product(apart, apart)
    return Channel(*(each.reduce(CELL) for each in made))


def pixels_apart(channel: Channel, place: Place = LINE) -> "Picture":
    """For each place, the average of the squares of what its pixels differ by."""
    return _averaged(channel.squares, place)


def averages_apart(channel: Channel, place: Place = LINE) -> "Picture":
    """For each place, the square of what its averages differ by."""
    from PIL import ImageMath

    a, b = _averaged(channel.a, place), _averaged(channel.b, place)
    return ImageMath.lambda_eval(lambda given: (given["a"] - given["b"]) ** 2, a=a, b=b)


def structure_apart(channel: Channel, place: Place = LINE) -> "Picture":
    """For each place, the variance of what its pixels differ by."""
    from PIL import ImageMath

    pixels, averages = pixels_apart(channel, place), averages_apart(channel, place)
    return ImageMath.lambda_eval(lambda given: given["a"] - given["b"], a=pixels, b=averages)


def structure(channel: Channel, place: Place) -> "Picture":
    """For each place, the variance in it, on average of both pictures."""
    from PIL import ImageMath

    def variance(given: dict[str, Any]) -> Any:
        return (given["aa"] + given["bb"] - given["a"] ** 2 - given["b"] ** 2) / 2

    parts = {name: _averaged(getattr(channel, name), place) for name in ("a", "b", "aa", "bb")}
    return ImageMath.lambda_eval(variance, **parts)


def structure_around(channel: Channel) -> "Picture":
    """For each line, the variance around it, in the picture that has less of it.

    So words on one picture hide nothing.
    """
    from PIL import ImageMath

    def least(given: dict[str, Any]) -> Any:
        mine, theirs = given["aa"] - given["a"] ** 2, given["bb"] - given["b"] ** 2
        return given["max"](given["min"](mine, theirs), 0.0)

    around = {name: _around(getattr(channel, name)) for name in ("a", "b", "aa", "bb")}
    return ImageMath.lambda_eval(least, **around)


def outlier(differs: Sequence["Picture"], structure: Sequence["Picture"], by: Measure) -> float:
    """How much the place differs that differs most; up to 1 it is no more than may be.

    Args:
        differs: squares for each place, of one or more channels.
        structure: the variance in or around each place, of one or more channels.
        by: how much they may differ.
    """
    from PIL import ImageMath

    variance = _added(structure)
    found = ImageMath.lambda_eval(
        lambda given: given["differs"] / (given["variance"] * by.structure + by.noise),
        differs=_added(differs),
        variance=variance,
    )
    some, variances = (array("f", each.tobytes())[::_SAMPLED] for each in (found, variance))
    told = sorted(
        value for value, variance in zip(some, variances, strict=True) if variance > by.telling
    )
    told = told if len(told) >= _FEWEST else sorted(some)
    usual, most = told[int(len(told) * _MOST_PLACES)], cast(float, found.getextrema()[1])
    return max(0.0, most) ** 0.5 / (by.least + by.usual * max(0.0, usual) ** 0.5)


def _around(cells: "Picture") -> "Picture":
    """The averages of all lines with the cells around them; beyond an edge its cells go on."""
    import PIL.Image

    wider = cells.width + 2 * _AROUND, cells.height + 2 * _AROUND
    grown = cells.resize(wider, PIL.Image.Resampling.NEAREST)
    grown.paste(cells, (_AROUND, _AROUND))
    return _averaged(grown, Place(LINE.columns + 2 * _AROUND, LINE.rows + 2 * _AROUND))


def _averaged(cells: "Picture", place: Place) -> "Picture":
    """The average of each cell and those right of it and below, so many together."""
    columns, rows = place
    width, height = cells.width - columns + 1, cells.height - rows + 1
    line = _added([cells.crop((n, 0, n + width, cells.height)) for n in range(columns)], columns)
    return _added([line.crop((0, n, width, n + height)) for n in range(rows)], rows)


def _added(pictures: Sequence["Picture"], divided_by: int = 1) -> "Picture":
    from PIL import ImageMath

    parts = {f"part{n}": each for n, each in enumerate(pictures)}
    return ImageMath.lambda_eval(
        lambda given: sum(given[name] for name in parts) / divided_by, **parts
    )
