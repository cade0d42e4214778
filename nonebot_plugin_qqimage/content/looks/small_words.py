"""A third look at two pictures that seem to be the same: whether one has small words on it.

Words of a few hundredths of the height are too small for hashes, and for the second look. In more
pixels, and in colour, each place of some letters is compared with the same place of the other
picture: words are a structure that the other one lacks there. Re-encoding loses structure, too, but
in many places; so what the worst place loses is compared with what the pair loses elsewhere.

Thresholds were chosen by what ``python -m tests.looks.small_words`` prints, mostly by its pictures
with even numbers.
"""

from array import array
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


class _Measure(NamedTuple):
    """How one kind of channel is compared."""

    step: int
    """Pixels from one place to the next; a place is twice as wide and high."""
    letters: int
    """Places beside each other that are looked at together: words are longer than they are high."""
    usual: float
    """Share of the places that lose no more than what is usual for the two pictures."""
    least: float
    """What counts as usual besides: a place may lose some where the others lose nothing."""
    most: float
    """How many times as much as usual no place loses when a picture is re-encoded, but for three in
    a hundred pictures. With less, more words are seen, and more re-encodings taken for words."""


_LETTERS = _Measure(step=5, letters=2, usual=0.97, least=0.08, most=1.6)
"""For a few letters, by their brightness."""
_LINES = _Measure(step=4, letters=5, usual=0.9, least=0.05, most=3.3)
"""For lines of pale letters: several of them take up more than three hundredths of the places."""
_COLOURS = _Measure(step=4, letters=5, usual=0.9, least=0.1, most=1.5)
"""JPEG keeps every other pixel of colours only, so more of them are looked at together."""
_PALETTE = 1.6
"""What `most` is multiplied by where a picture has a palette, whose few colours make steps of what
was smooth. With 1.9, 96 rather than 92 of 100 photos are the same as their GIFs, but more words are
overlooked."""
_LEAST_SIDE = 64
"""Pixels that a side must have for this; smaller pictures are enlarged."""
_SOFTENER = 100.0
"""Variance, in levels of grey or colour, of what is too weak to be words: noise, and ripples of
JPEG."""
_PALE = 4.0
"""Grey levels added to the deviation of a picture, for the noise of pale ones is no structure."""
_SAMPLED = 5
"""Of so many places one says what is usual; sorting all of them would take too long."""
_GREY = 128
_COLOURED = 12
"""Levels from grey that a pixel must be away to count as coloured."""
_FEW = 0.03
"""Share of the pixels that are coloured in a picture that is grey but for words."""


def words_between(one: "Picture", other: "Picture") -> float:
    """How much one picture has that the other lacks; up to 1 it is no more than re-encoding does.

    It takes some 17 ms of the processor for 512 × 512 pixels.

    Args:
        one: of `decoding.small`, with `decoding.LARGE`.
        other: the other one.
    """
    mine, theirs = _channels(one, other)
    ratio = _ratio(mine[0], theirs[0])
    scores = [_outlier(mine[0], theirs[0], measure, ratio) for measure in (_LETTERS, _LINES)]
    shares = sorted(_coloured(channels[1:]) for channels in (mine, theirs))
    if shares[0] or shares[1] <= _FEW:  # otherwise one was made grey
        scores += [_outlier(mine[place], theirs[place], _COLOURS) for place in (1, 2)]
    palette = one.info.get("palette") or other.info.get("palette")
    return max(scores) / (_PALETTE if palette else 1.0)


def _channels(one: "Picture", other: "Picture") -> "list[tuple[Picture, ...]]":
    """The brightness, blue and red of both, as large as the smaller one, without fine noise."""
    import PIL.Image
    from PIL import ImageFilter

    width, height = min(one.size, other.size, key=lambda size: size[0] * size[1])
    size = max(_LEAST_SIDE, width), max(_LEAST_SIDE, height)
    blur = ImageFilter.BoxBlur(1)
    return [
        each.convert("RGB")
        .resize(size, PIL.Image.Resampling.BOX)  # pyright: ignore[reportUnknownMemberType]
        .filter(blur)
        .filter(blur)
        .convert("YCbCr")
        .split()
        for each in (one, other)
    ]


def _coloured(channels: "tuple[Picture, ...]") -> float:
    """The share of pixels that are not grey, by the channel that has more of them."""
    shares: list[float] = []
    for channel in channels:
        counts = channel.histogram()
        grey = sum(counts[_GREY - _COLOURED : _GREY + _COLOURED + 1])
        shares.append(1 - grey / sum(counts))
    return max(shares)


def _ratio(one: "Picture", other: "Picture") -> float:
    """What the other one is multiplied by to be as strong as the first."""
    from PIL import ImageStat

    strengths = [ImageStat.Stat(each).stddev[0] + _PALE for each in (one, other)]
    return strengths[0] / strengths[1]


def _outlier(one: "Picture", other: "Picture", measure: _Measure, ratio: float = 1.0) -> float:
    """How much the place loses that loses most: 1 is what re-encoding does."""
    lost = _lost(one, other, measure, ratio)
    some = sorted(array("f", lost.tobytes())[::_SAMPLED])
    usual, most = some[int(len(some) * measure.usual)], lost.getextrema()[1]
    return max(0.0, cast(float, most)) / (max(0.0, usual) + measure.least) / measure.most


def _lost(one: "Picture", other: "Picture", measure: _Measure, ratio: float) -> "Picture":
    """How much of the structure of each few letters is not in both: 0 to 2."""
    from PIL import ImageMath

    # Pillow calculates with whole pictures at the speed of C, also without numpy
    a, b = one.convert("F"), other.convert("F")

    def product(x: "Picture", y: "Picture") -> "Picture":
        return ImageMath.lambda_eval(lambda given: given["x"] * given["y"], x=x, y=y)

    def lost(given: dict[str, Any]) -> Any:
        mine = given["aa"] - given["a"] * given["a"]
        theirs = (given["bb"] - given["b"] * given["b"]) * ratio**2
        common = (given["ab"] - given["a"] * given["b"]) * ratio
        return (mine + theirs - common * 2) / (mine + theirs + _SOFTENER)

    squares = {"a": a, "b": b, "aa": product(a, a), "bb": product(b, b), "ab": product(a, b)}
    places = {
        name: _averaged(_averaged(each.reduce(measure.step), 2, down=1), 2, right=1)
        for name, each in squares.items()
    }
    return _averaged(ImageMath.lambda_eval(lost, **places), measure.letters, right=2)


def _averaged(picture: "Picture", count: int, right: int = 0, down: int = 0) -> "Picture":
    """The average of each pixel and some others: so many to its right, or below it, apart."""
    from PIL import ImageMath

    width = picture.width - right * (count - 1)
    height = picture.height - down * (count - 1)
    parts = {
        f"part{n}": picture.crop((n * right, n * down, n * right + width, n * down + height))
        for n in range(count)
    }
    return ImageMath.lambda_eval(lambda given: sum(given[name] for name in parts) / count, **parts)
