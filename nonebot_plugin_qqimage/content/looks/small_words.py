"""A third look at two pictures that seem to be the same: whether one has small words on it.

Words of a few hundredths of the height are too small for hashes, and for the second look. In more
pixels, and in colour, each place of some letters is compared with the same place of the other
picture. Where a picture is smooth, re-encoding changes little; at edges and in fine structures it
changes more. So what a place differs by is divided by what its structure lets one expect, and the
place that differs most is compared with the other places of the same pair.

Two changes are undone before: few colours, where one picture has a palette, for the other one can
be given the same colours; and another brightness.

Thresholds were chosen by what ``python -m tests.looks.small_words`` prints, mostly by its
pictures with even numbers.
"""

from array import array
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_LEAST_SIDE = 64
"""Pixels that a side must have for this; smaller pictures are enlarged."""
_CELL = 4
"""Pixels of the side of a cell. A place is a row of cells, for words are longer than high."""
_LETTERS, _LINE = 3, 8
"""Cells of a place for a few letters, and for a line of them."""
_MOST_LETTERS, _MOST_LINE, _MOST_COLOURS = 4.0, 3.38, 3.47
"""How many times as much as most places no place differs when a picture is re-encoded, but for some
three in a hundred pictures: of a few letters and of a line by brightness, and of a line by colour.
With less, more words are seen, and more re-encodings taken for words."""
_BUSY = 0.02
"""Share of the variance of a place that re-encoding may change."""
_NOISE = 2.0
"""Variance, in levels of brightness or colour, that it adds where a picture is smooth."""
_MOST_PLACES = 0.95
"""Share of the places that differ no more than what counts as usual for the pair."""
_SAMPLED = 3
"""Of so many places one says what is usual; sorting all of them would take too long."""
_USUAL = 0.4
"""What counts as usual besides: a place may differ a little where the others do not at all."""
_PALE = 4.0
"""Grey levels added to the deviation of a picture, for the noise of pale ones is no structure."""
_BRIGHTER = 2.0
"""Levels between the averages of two pictures of which one may have been made brighter."""
_UNDONE = 0.3
"""How much nearer to each other they must be for that with their brightness made equal."""
_WHITENED = 2.2
"""How many times as much may differ then: what became white has lost its structure."""
_DITHERED = 2.0
"""How much farther from each other they are with the same few colours where these were dithered,
which a picture without dithering cannot equal."""
_GREY = 128
_COLOURED = 12
"""Levels from grey that a pixel must be away to count as coloured."""
_FEW = 0.03
"""Share of the pixels that are coloured in a picture that is grey but for words."""


def words_between(one: "Picture", other: "Picture") -> float:
    """How much one picture has that the other lacks; up to 1 it is no more than re-encoding does.

    Args:
        one: of `decoding.small`, with `decoding.LARGE`.
        other: the other one.
    """
    from PIL import ImageStat

    pair = _matched(one, other)
    equal = _equally_bright(*pair)
    mine, theirs = (_channels(each) for each in equal or pair)
    strengths = [ImageStat.Stat(each[0]).stddev[0] + _PALE for each in (mine, theirs)]
    brightness = [_compared(mine[0], theirs[0], _CELL, strengths[1] / strengths[0])]
    scores = [
        _outlier(brightness, _LETTERS) / _MOST_LETTERS,
        _outlier(brightness, _LINE) / _MOST_LINE,
    ]
    shares = sorted(_coloured(channels[1:]) for channels in (mine, theirs))
    if shares[0] or shares[1] <= _FEW:  # otherwise one was made grey
        colours = [_compared(mine[n], theirs[n], _CELL // 2) for n in (1, 2)]
        scores.append(_outlier(colours, _LINE) / _MOST_COLOURS)
    return max(scores) / (_WHITENED if equal else 1.0)


def _matched(one: "Picture", other: "Picture") -> "tuple[Picture, Picture]":
    """Both, as large as the smaller one, and with the same few colours."""
    import PIL.Image

    width, height = min(one.size, other.size, key=lambda size: size[0] * size[1])
    size = max(_LEAST_SIDE, width), max(_LEAST_SIDE, height)
    a, b = (
        each.convert("RGB").resize(size, PIL.Image.Resampling.HAMMING)  # pyright: ignore[reportUnknownMemberType]
        for each in (one, other)
    )
    mine, theirs = (cast(bytes, each.info.get("palette", b"")) for each in (one, other))
    if mine or theirs:
        few = _in_colours(a, theirs), _in_colours(b, mine)
        if _apart(few) < _apart((a, b)) * _DITHERED:
            a, b = few
    return a, b


def _equally_bright(one: "Picture", other: "Picture") -> "tuple[Picture, Picture] | None":
    """Both, where one was made brighter, without that; None where none was."""
    from PIL import ImageStat

    light = [ImageStat.Stat(each.reduce(_CELL).convert("L")).mean[0] for each in (one, other)]
    if abs(light[0] - light[1]) <= _BRIGHTER:
        return None
    # the darker one is changed: what became white in the other cannot be told apart there
    equal = (_toned(one, other), other) if light[0] < light[1] else (one, _toned(other, one))
    return equal if _apart(equal) < _apart((one, other)) * _UNDONE else None


def _in_colours(picture: "Picture", palette: bytes) -> "Picture":
    """A picture with the colours of a palette only; unchanged if that is empty."""
    import PIL.Image

    if not palette:
        return picture
    colours = PIL.Image.new("P", (1, 1))
    colours.putpalette(palette)
    return picture.quantize(palette=colours, dither=PIL.Image.Dither.NONE).convert("RGB")


def _toned(picture: "Picture", like: "Picture") -> "Picture":
    """A picture whose levels of red, green and blue are as frequent as those of another one."""
    table: list[int] = []
    for start in (0, 256, 512):
        mine, theirs = (each.histogram()[start : start + 256] for each in (picture, like))
        level, below, done = 0, theirs[0], 0
        for count in mine:
            while below < done + count / 2 and level < 255:
                level += 1
                below += theirs[level]
            table.append(level)
            done += count
    return picture.point(table)


def _apart(pair: "tuple[Picture, Picture]") -> float:
    """How much two pictures differ: the sum of the squares, on average of their cells."""
    from PIL import ImageChops, ImageStat

    one, other = (each.reduce(_CELL).convert("YCbCr") for each in pair)
    return sum(each**2 for each in ImageStat.Stat(ImageChops.difference(one, other)).rms)


def _channels(picture: "Picture") -> "tuple[Picture, ...]":
    """The brightness of a picture without fine noise; and its blue and red, half as large."""
    from PIL import ImageFilter

    brightness, *colours = picture.convert("YCbCr").split()
    fine, coarse = ImageFilter.BoxBlur(1), ImageFilter.BoxBlur(0.6)
    # most JPEGs keep colours at half the size, too
    halves = (each.reduce(2).filter(coarse) for each in colours)
    return brightness.filter(fine).filter(fine), *halves


def _coloured(channels: "tuple[Picture, ...]") -> float:
    """The share of pixels that are not grey, by the channel that has more of them."""
    shares: list[float] = []
    for channel in channels:
        counts = channel.histogram()
        grey = sum(counts[_GREY - _COLOURED : _GREY + _COLOURED + 1])
        shares.append(1 - grey / sum(counts))
    return max(shares)


def _compared(
    one: "Picture", other: "Picture", cell: int, ratio: float = 1.0
) -> "dict[str, Picture]":
    """Averages of the cells: of both channels, of their squares, and of what they differ by."""
    from PIL import ImageMath, ImageStat

    def even(picture: "Picture", scale: float) -> "Picture":
        mean = ImageStat.Stat(picture).mean[0]
        made = picture.convert("F")
        return ImageMath.lambda_eval(lambda given: (given["x"] - mean) * scale, x=made)

    def product(x: "Picture", y: "Picture") -> "Picture":
        return ImageMath.lambda_eval(lambda given: given["x"] * given["y"], x=x, y=y)

    # Pillow calculates with whole pictures at the speed of C, also without numpy
    a, b = even(one, min(1.0, ratio)), even(other, min(1.0, 1 / ratio))  # the stronger is weakened
    made = {"a": a, "b": b, "aa": product(a, a), "bb": product(b, b), "ab": product(a, b)}
    return {name: each.reduce(cell) for name, each in made.items()}


def _outlier(channels: "list[dict[str, Picture]]", cells: int) -> float:
    """How many times as much as most places the place differs that differs most."""
    from PIL import ImageMath

    def differing(given: dict[str, Any]) -> Any:
        differs, busy = 0.0, 0.0
        for n in range(len(channels)):
            a, b, aa, bb, ab = (given[f"{name}{n}"] for name in ("a", "b", "aa", "bb", "ab"))
            differs = aa + bb - ab * 2 + differs
            mine, theirs = aa - a * a, bb - b * b
            busy = given["min"](mine, theirs) + busy  # so words on one picture hide nothing
        return differs / (given["max"](busy, 0.0) * _BUSY + _NOISE)

    places = {
        f"{name}{n}": _averaged(each, cells)
        for n, channel in enumerate(channels)
        for name, each in channel.items()
    }
    found = ImageMath.lambda_eval(differing, **places)
    some = sorted(array("f", found.tobytes())[::_SAMPLED])
    usual, most = some[int(len(some) * _MOST_PLACES)], cast(float, found.getextrema()[1])
    return max(0.0, most) ** 0.5 / (max(0.0, usual) ** 0.5 + _USUAL)


def _averaged(cells: "Picture", count: int) -> "Picture":
    """The average of each cell and those right of it, so many together."""
    from PIL import ImageMath

    width = cells.width - count + 1
    parts = {f"part{n}": cells.crop((n, 0, n + width, cells.height)) for n in range(count)}
    return ImageMath.lambda_eval(lambda given: sum(given[name] for name in parts) / count, **parts)
