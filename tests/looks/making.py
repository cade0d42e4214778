"""Pictures to look at, made from a number: photos, stickers and screenshots.

Nothing of them is anybody's. Photos have what makes photos hard to tell apart: little contrast in
fine structures, much in coarse ones, and a light that falls from somewhere.
"""

import math
import random
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

Picture = Image.Image
_WORDS = (
    "the quick brown fox jumps over lazy dogs while seven grey cats watch rain fall on roofs and "
    "nobody knows why the bus is late again so we wait here with cold coffee until somebody comes"
).split()


def photo(seed: int) -> Picture:
    """A picture like a photo: noise of all scales, a light, some things in front."""
    rng = random.Random(f"photo {seed}")
    size = rng.choice([(640, 480), (480, 640), (720, 405), (600, 600)])
    channels = [_noise(rng, size, rng.uniform(0.45, 0.75)) for _ in range(2)]
    base = channels[0]
    tint = Image.blend(base, channels[1], rng.uniform(0.2, 0.5))
    other = ImageChops.invert(tint) if rng.random() < 0.3 else tint
    picture = Image.merge("RGB", (base, tint, other))
    light = Image.linear_gradient("L").rotate(rng.uniform(0, 360), expand=True).resize(size)
    shade = Image.merge("RGB", (light, light, light))
    picture = Image.blend(picture, ImageChops.multiply(picture, shade), rng.uniform(0.2, 0.8))
    for _ in range(rng.randrange(1, 7)):
        _thing(rng, picture)
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.2)))


def sticker(seed: int) -> Picture:
    """A picture like a sticker: a face of few colours on white, or on nothing, maybe with words."""
    rng = random.Random(f"sticker {seed}")
    side = rng.choice([240, 300, 400])
    ground = rng.choice([(255, 255, 255, 255), (255, 255, 255, 0), (*_colour(rng), 255)])
    picture = Image.new("RGBA", (side, side), ground)
    pen = ImageDraw.Draw(picture)
    for _ in range(rng.randrange(1, 4)):
        pen.ellipse(_box(rng, side, 0.3, 0.8), (*_colour(rng), 255), (0, 0, 0, 255), side // 60)
    for _ in range(rng.randrange(1, 4)):
        x, y = rng.uniform(0.2, 0.7) * side, rng.uniform(0.2, 0.5) * side
        eye = side * rng.uniform(0.03, 0.1)
        for place in (x, x + side * rng.uniform(0.12, 0.3)):
            pen.ellipse((place - eye, y - eye, place + eye, y + eye), (0, 0, 0, 255))
            pen.ellipse((place - eye / 3, y - eye / 3, place, y), (255, 255, 255, 255))
    start = rng.randrange(0, 180)
    pen.arc(_box(rng, side, 0.2, 0.5), start, start + 140, (120, 0, 0, 255), side // 40)
    for _ in range(rng.randrange(0, 5)):
        points = [(rng.randrange(side), rng.randrange(side)) for _ in range(3)]
        pen.polygon(points, (*_colour(rng), 255), (0, 0, 0, 255))
    if rng.random() < 0.5:
        glyphs(rng, pen, (side // 10, side * 4 // 5), side // 8, rng.randrange(2, 6), "black")
    return picture


def screenshot(seed: int) -> Picture:
    """A picture like a screenshot: a chat, prose, code, or a table of numbers."""
    rng = random.Random(f"screenshot {seed}")
    size = rng.choice([(540, 960), (480, 854), (800, 600)])
    dark = rng.random() < 0.25
    ground, ink = ((24, 26, 30), (210, 210, 215)) if dark else ((246, 247, 249), (20, 20, 25))
    picture = Image.new("RGB", size, ground)
    pen = ImageDraw.Draw(picture)
    kinds = (_chat, _chat, _prose, _code, _table)
    kinds[seed % len(kinds)](rng, pen, size, ink)
    return picture


def glyphs(
    rng: random.Random,
    pen: ImageDraw.ImageDraw,
    at: tuple[int, int],
    side: int,
    n: int,
    ink: object,
) -> None:
    """Draw signs like Chinese characters, of strokes in a square."""
    for number in range(n):
        x, y = at[0] + number * side * 1.1, at[1]
        for _ in range(rng.randrange(4, 9)):
            row, column = rng.uniform(0, 0.9) * side, rng.uniform(0, 0.9) * side
            length = rng.uniform(0.4, 0.95) * side
            ends = rng.choice(
                [
                    (x, y + row, x + length, y + row),
                    (x + column, y, x + column, y + length),
                    (x + column, y + row, x + side * 0.9, y + side * 0.9),
                ]
            )
            pen.line(ends, fill=ink, width=max(1, side // 12))  # type: ignore[arg-type]


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font."""
    return ImageFont.load_default(size)  # type: ignore[return-value]


def words(rng: random.Random, n: int) -> str:
    """Some words."""
    return " ".join(rng.choice(_WORDS) for _ in range(n))


def _noise(rng: random.Random, size: tuple[int, int], fall: float) -> Picture:
    """Noise of all scales, each so much weaker than the coarser one before."""
    total = Image.new("L", size, 128)
    strength = 1.0
    for scale in (3, 6, 12, 24, 48, 96):
        low = Image.new("L", (scale, max(2, scale * size[1] // size[0])))
        low.putdata([rng.randrange(256) for _ in range(low.width * low.height)])
        total = Image.blend(total, low.resize(size, Image.Resampling.BICUBIC), strength * 0.6)
        strength *= fall
    return ImageChops.overlay(total, total)


def _thing(rng: random.Random, picture: Picture) -> None:
    side = min(picture.size)
    mask = Image.new("L", picture.size)
    pen = ImageDraw.Draw(mask)
    box = _box(rng, side, 0.1, 0.6)
    rng.choice([pen.ellipse, pen.rectangle])(box, fill=rng.randrange(120, 256))
    mask = mask.rotate(rng.uniform(-30, 30)).filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 6)))
    noise = _noise(rng, picture.size, rng.uniform(0.3, 0.8))
    colour = Image.new("RGB", picture.size, _colour(rng))
    thing = ImageChops.multiply(colour, Image.merge("RGB", (noise, noise, noise)))
    picture.paste(thing, mask=mask)


def _box(rng: random.Random, side: int, least: float, most: float) -> tuple[float, ...]:
    width, height = (rng.uniform(least, most) * side for _ in range(2))
    x, y = rng.uniform(0, side - width), rng.uniform(0, side - height)
    return x, y, x + width, y + height


def _colour(rng: random.Random) -> tuple[int, int, int]:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


def _chat(rng: random.Random, pen: ImageDraw.ImageDraw, size: tuple[int, int], ink: object) -> None:
    y = 10
    while y < size[1] - 60:
        mine, lines = rng.random() < 0.4, rng.randrange(1, 4)
        length, side = rng.randrange(3, 14), size[0] // 28
        width = int(length * side * 1.1) + 20
        x = size[0] - width - 60 if mine else 60
        pen.ellipse(
            (size[0] - 52, y, size[0] - 12, y + 40) if mine else (12, y, 52, y + 40), _colour(rng)
        )
        bubble = (150, 230, 120) if mine else (255, 255, 255)
        pen.rounded_rectangle((x, y, x + width, y + lines * side * 1.5 + 14), 8, bubble)
        for line in range(lines):
            count = length if line < lines - 1 else rng.randrange(1, length + 1)
            glyphs(rng, pen, (x + 10, int(y + 8 + line * side * 1.5)), side, count, (20, 20, 25))
        y += int(lines * side * 1.5) + rng.randrange(30, 60)


def _prose(
    rng: random.Random, pen: ImageDraw.ImageDraw, size: tuple[int, int], ink: object
) -> None:
    y, height = rng.randrange(10, 40), rng.randrange(14, 20)
    while y < size[1] - height:
        if rng.random() < 0.12:
            y += height
            continue
        text = words(rng, 40)[: int(size[0] / height * 1.8 * rng.choice([1, 1, 1, 0.6]))]
        pen.text((20, y), text, fill=ink, font=font(height))  # type: ignore[arg-type]
        y += int(height * 1.5)


def _code(rng: random.Random, pen: ImageDraw.ImageDraw, size: tuple[int, int], ink: object) -> None:
    y, height, indent = 10, rng.randrange(12, 17), 0
    while y < size[1] - height:
        text = (
            f"{rng.choice(['def', 'if', 'for', 'return', 'x ='])} {words(rng, rng.randrange(1, 7))}"
        )
        colour = rng.choice([ink, (40, 120, 200), (180, 90, 40)])
        pen.text((20 + indent * 24, y), text, fill=colour, font=font(height))  # type: ignore[arg-type]
        indent = max(0, min(4, indent + rng.choice([-1, 0, 0, 1])))
        y += int(height * 1.4) * rng.choice([1, 1, 1, 2])


def _table(
    rng: random.Random, pen: ImageDraw.ImageDraw, size: tuple[int, int], ink: object
) -> None:
    columns, height = rng.randrange(4, 8), rng.randrange(20, 30)
    width = size[0] // columns
    for row in range(math.ceil(size[1] / height)):
        pen.line((0, row * height, size[0], row * height), fill=(190, 190, 190))
        for column in range(columns):
            pen.line((column * width, 0, column * width, size[1]), fill=(190, 190, 190))
            number = f"{rng.uniform(0, 10 ** rng.randrange(1, 5)):.2f}"
            pen.text((column * width + 6, row * height + 4), number, fill=ink, font=font(13))  # type: ignore[arg-type]
