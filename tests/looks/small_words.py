"""How many pictures that differ in small words only are called the same, and how many that do not.

Run it with ``uv run python -m tests.looks.small_words``. Thresholds were chosen by other pairs,
mostly of pictures with even numbers; the table is of those with odd ones. ``--even`` shows the
others; ``--fewer 3`` takes every third picture only.
"""

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image, ImageDraw

from .__main__ import MAKERS, kind_of, look
from .changing import encoded, on_white
from .making import Picture, font, glyphs, words

COUNTS = {"photos": 48, "stickers": 32, "screenshots": 20}
"""Pictures of each kind, even and odd ones; of real ones all that are there."""
SIZES = (0.015, 0.02, 0.025, 0.03, 0.04, 0.06)
"""Shares of the height that a character has."""
INKS = ("edged", "strong", "yellow", "pale", "tinted", "strip")
"""White with a black edge; black or white; yellow; 45 grey levels from the ground; as bright as it,
but of another colour; black on a white strip, which has words in both pictures."""
_PALE = 45


class Pair(NamedTuple):
    """Two pictures that come from one."""

    name: str
    """What makes them differ: ``same`` for no words, or the size of the words and their ink."""
    one: bytes
    other: bytes


def pairs(kind: str, number: int) -> Iterator[Pair]:
    """Pairs made of one picture: re-encodings, words of each size, and one letter of each size.

    Args:
        kind: of `MAKERS`.
        number: which picture of this kind.
    """
    rng = random.Random(f"{kind} {number} words")
    picture = on_white(MAKERS[kind][0](number))
    for times in range(10):
        first = encoded(picture) if times < 3 else sent_on(picture, rng)
        yield Pair("same", first, sent_on(picture, rng))
    for size in SIZES:
        for ink in rng.sample(INKS, 3):
            place = rng.choice([0.03, 0.2, 0.5, 0.75, 0.9])
            ground = with_strip(picture, size, place) if ink == "strip" else picture
            one = ground
            if ink == "strip" or rng.random() < 0.4:
                one = written(ground, rng, size, place, ink)
            other = written(ground, rng, size, place, ink)
            yield Pair(f"{size * 100:g} % {ink}", sent_on(one, rng), sent_on(other, rng))
    rng = random.Random(f"{kind} {number} letter")
    for size in SIZES:
        one, other = with_one_letter(picture, rng, size)
        yield Pair(f"{size * 100:g} % letter", sent_on(one, rng), sent_on(other, rng))


def sent_on(picture: Picture, rng: random.Random) -> bytes:
    """A picture as it may come: JPEG, WebP or PNG with a palette, and maybe smaller."""
    scale = rng.choice([0.5, 0.75, 1, 1])
    if scale < 1:
        size = round(picture.width * scale), round(picture.height * scale)
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    form = rng.choice(["JPEG", "JPEG", "JPEG", "JPEG", "WEBP", "PNG"])
    if form == "PNG":
        return encoded(picture.quantize(rng.choice([128, 256])))
    return encoded(picture, form, quality=rng.choice([30, 40, 50, 60, 75, 85, 90]))


def written(picture: Picture, rng: random.Random, share: float, at: float, ink: str) -> Picture:
    """A picture with one or three lines on it: signs like Chinese ones, letters, or digits."""
    made, side = picture.copy(), max(5, round(picture.height * share))
    x, y = round(picture.width * rng.uniform(0.05, 0.3)), round(picture.height * at)
    count, seed, script = rng.choice([3, 5, 8, 12]), rng.random(), rng.choice("glg1")
    lines = 1 if ink == "strip" else rng.choice([1, 1, 3])
    box = x, y, min(picture.width, x + side * count), min(picture.height, y + side)
    ground: tuple[int, int, int] = picture.crop(box).resize((1, 1)).getpixel((0, 0))  # type: ignore[assignment]
    strokes: list[tuple[int, int, object]] = [(0, 0, _colour(ink, ground))]
    if ink == "edged":
        strokes[:0] = [(dx, dy, "black") for dx in (-1, 1) for dy in (-1, 1)]
    pen = ImageDraw.Draw(made)
    for dx, dy, colour in strokes:
        again = random.Random(seed)
        for line in range(lines):
            at_line = x + dx, y + dy + round(line * side * 1.4)
            if script == "g":
                glyphs(again, pen, at_line, side, count, colour)
            else:
                text = words(again, 3) if script == "l" else str(again.randrange(10**12, 10**13))
                pen.text(at_line, text[: count * 2], fill=colour, font=font(side))  # type: ignore[arg-type]
    return made


def with_one_letter(picture: Picture, rng: random.Random, share: float) -> tuple[Picture, Picture]:
    """A picture with words on a white strip, twice: one letter or digit differs."""
    side, at = max(5, round(picture.height * share)), rng.choice([0.03, 0.2, 0.5, 0.75])
    signs = rng.choice(["0123456789", "abcdefghijklmnopqrstuvwxyz"])
    text = rng.choices(signs, k=rng.choice([3, 5, 8, 12]))
    place = rng.randrange(len(text))
    others = [*text]
    others[place] = rng.choice([sign for sign in signs if sign != text[place]])
    made: list[Picture] = []
    for each in (text, others):
        made.append(with_strip(picture, share, at))
        where = round(picture.width * 0.1), round(picture.height * at) - side // 4
        ImageDraw.Draw(made[-1]).text(where, "".join(each), fill="black", font=font(side))
    return made[0], made[1]


def _colour(ink: str, ground: tuple[int, int, int]) -> object:
    dark = sum(ground) < 384
    if ink == "strong":
        return "white" if dark else "black"
    if ink == "pale":
        return tuple(max(0, min(255, each + (_PALE if dark else -_PALE))) for each in ground)
    if ink == "tinted":
        red = ground[0] + (100 if ground[0] < 128 else -100)
        return red, max(0, min(255, ground[1] - (red - ground[0]) // 2)), ground[2]
    return {"edged": "white", "yellow": (255, 230, 0), "strip": "black"}[ink]


def with_strip(picture: Picture, share: float, at: float) -> Picture:
    """A picture with a white strip for words across it, twice as high as they are."""
    made, side = picture.copy(), max(5, round(picture.height * share))
    top = round(picture.height * at) - side // 2
    ImageDraw.Draw(made).rectangle((0, top, picture.width, top + side * 2), fill="white")
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--even", action="store_true", help="the pictures thresholds are chosen by")
    parser.add_argument("--fewer", type=int, default=1, help="take every n-th picture only")
    asked = parser.parse_args()
    called: defaultdict[str, list[str]] = defaultdict(list)
    started = time.monotonic()
    for kind in MAKERS:
        count = COUNTS.get(kind, MAKERS[kind][1])
        for number in range(not asked.even, count, 2 * asked.fewer):
            for pair in pairs(kind, number):
                one, other = look(pair.one), look(pair.other)
                if one.looks and other.looks:
                    size, _, ink = pair.name.rpartition(" ")
                    rows = [f"same {kind}", "same"] if not size else [size, f"{size} {ink}"]
                    what = kind_of(one, other)
                    for row in rows:
                        called[row].append(what)
    print("| words | pairs | found in % | called the same in % |\n|---|---|---|---|")
    for row, kinds in sorted(called.items()):
        found, same = (sum(map(fits, kinds)) / len(kinds) for fits in (bool, "same".__eq__))
        print(f"| {row} | {len(kinds)} | {100 * found:.1f} | {100 * same:.1f} |")
    print(f"\nin {time.monotonic() - started:.0f} seconds")


if __name__ == "__main__":
    main()
