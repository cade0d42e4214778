"""A third look at two pictures that seem to be the same: whether one has small words on it.

Words of a few hundredths of the height are too small for hashes, and for the second look. In more
pixels, each place of some letters is compared with the same place of the other picture: words are a
structure that the other one lacks there. Re-encoding loses structure, too, but in many places.

Thresholds were chosen by 2,500 pairs of photos, stickers and screenshots, re-encoded by JPEG of
quality 40 to 95 and in half to full size, with and without words of 1.5 to 4 % of the height in
several colours.
"""

from array import array
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_STEP = 5
"""Pixels from one place to the next; a place is twice as wide, and so are two beside each other."""
_SOFTENER = 100.0
"""Variance, in grey levels, of what is too weak to be words: noise, and ripples of JPEG."""
_PALE = 4.0
"""Grey levels added to the deviation of a picture, for the noise of pale ones is no structure."""
_USUAL = 0.97
"""Share of the places that lose no more than what is usual for the two pictures."""
_LEAST = 0.08
"""What counts as usual besides: a place may lose some where the others lose nothing."""
_MOST = 1.6
"""How many times as much as usual no place loses when a picture is re-encoded, but for three in a
hundred pictures. Of those with small words that the second look overlooks, one in six is below."""
_MOST_OF_PALETTE = 4.0
"""What `_MOST` is where one picture is a GIF, whose few colours make steps of what was smooth."""


def words_between(one: "Picture", other: "Picture", *, palette: bool = False) -> float:
    """How much one picture has that the other lacks; up to 1 it is no more than re-encoding does.

    Args:
        one: of `decoding.small`, with `decoding.LARGE`.
        other: the other one.
        palette: whether one of them is a GIF.
    """
    lost = sorted(_lost(*_of_one_size(one, other)))
    most = _MOST_OF_PALETTE if palette else _MOST
    return lost[-1] / (lost[int(len(lost) * _USUAL)] + _LEAST) / most


def _of_one_size(one: "Picture", other: "Picture") -> "tuple[Picture, Picture]":
    """Both as large as the smaller one, without the finest structures."""
    import PIL.Image
    from PIL import ImageFilter

    width, height = min(one.size, other.size, key=lambda size: size[0] * size[1])
    size = max(4 * _STEP, width), max(4 * _STEP, height)
    blur = ImageFilter.BoxBlur(1)
    a, b = (
        each.resize(size, PIL.Image.Resampling.BOX)  # pyright: ignore[reportUnknownMemberType]
        .filter(blur)
        .filter(blur)
        for each in (one, other)
    )
    return a, b


def _lost(one: "Picture", other: "Picture") -> "array[float]":
    """How much of the structure of each two places beside each other is not in both: 0 to 2.

    Both pictures are of one size, and are made equally strong.
    """
    from PIL import ImageMath, ImageStat

    strengths = [ImageStat.Stat(each).stddev[0] + _PALE for each in (one, other)]
    ratio = strengths[0] / strengths[1]
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
        name: _averaged(_averaged(each.reduce(_STEP), down=1), right=1)
        for name, each in squares.items()
    }
    two = _averaged(ImageMath.lambda_eval(lost, **places), right=2)
    return array("f", two.tobytes())


def _averaged(picture: "Picture", right: int = 0, down: int = 0) -> "Picture":
    """The average of each pixel and the one so many pixels to its right, or below it."""
    from PIL import ImageMath

    width, height = picture.size
    return ImageMath.lambda_eval(
        lambda given: (given["one"] + given["other"]) * 0.5,
        one=picture.crop((0, 0, width - right, height - down)),
        other=picture.crop((right, down, width, height)),
    )
