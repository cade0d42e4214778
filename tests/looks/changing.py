"""What becomes of pictures that are sent on: re-encoded, resized, cut, framed, written on."""

import io
import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageEnhance

from .making import Picture, font, glyphs

Change = Callable[[Picture], bytes]


def encoded(picture: Picture, kind: str = "PNG", **options: int) -> bytes:
    """The bytes of a picture; those that know no transparency have it on white."""
    made = io.BytesIO()
    if kind in ("JPEG", "GIF"):
        picture = on_white(picture)
    picture.save(made, kind, **options)
    return made.getvalue()


def on_white(picture: Picture) -> Picture:
    """A picture of which nothing is transparent."""
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


def _jpeg(quality: int) -> Change:
    return lambda picture: encoded(picture, "JPEG", quality=quality)


def _longest(side: int) -> Change:
    def change(picture: Picture) -> bytes:
        scale = side / max(picture.size)
        size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
        return encoded(on_white(picture).resize(size, Image.Resampling.BICUBIC), "JPEG", quality=80)

    return change


def _thrice(picture: Picture) -> bytes:
    for _ in range(3):
        picture = Image.open(io.BytesIO(encoded(picture, "JPEG", quality=60)))
    return encoded(picture, "JPEG", quality=60)


def _cut(left: float, top: float, right: float, bottom: float) -> Change:
    def change(picture: Picture) -> bytes:
        width, height = picture.size
        box = (width * left, height * top, width * (1 - right), height * (1 - bottom))
        return encoded(on_white(picture).crop(tuple(map(round, box))), "JPEG", quality=85)  # type: ignore[arg-type]

    return change


def _framed(share: float, colour: object) -> Change:
    def change(picture: Picture) -> bytes:
        edge = max(1, round(min(picture.size) * share))
        size = picture.width + 2 * edge, picture.height + 2 * edge
        framed = Image.new("RGB", size, colour)  # type: ignore[arg-type]
        framed.paste(on_white(picture), (edge, edge))
        return encoded(framed, "JPEG", quality=85)

    return change


def _on_phone(picture: Picture) -> bytes:
    screen = Image.new("RGB", (540, 1170), "black")
    scale = min(540 / picture.width, 1000 / picture.height)
    shown = on_white(picture).resize((round(picture.width * scale), round(picture.height * scale)))
    screen.paste(shown, ((540 - shown.width) // 2, (1170 - shown.height) // 2))
    ImageDraw.Draw(screen).text((30, 10), "12:34", fill="white", font=font(24))
    return encoded(screen, "JPEG", quality=85)


def _watermark(picture: Picture) -> bytes:
    marked = on_white(picture).copy()
    at = (round(marked.width * 0.7), round(marked.height * 0.92))
    ImageDraw.Draw(marked).text(
        at, "@somebody", fill=(200, 200, 200), font=font(marked.height // 22)
    )
    return encoded(marked, "JPEG", quality=85)


def _captioned(picture: Picture) -> bytes:
    height = picture.height // 6
    made = Image.new("RGB", (picture.width, picture.height + height), "white")
    made.paste(on_white(picture), (0, 0))
    rng = random.Random(picture.width + picture.tobytes()[1000])
    pen = ImageDraw.Draw(made)
    glyphs(rng, pen, (20, picture.height + height // 5), height // 2, 6, "black")
    return encoded(made, "JPEG", quality=85)


def worded(picture: Picture, seed: int, share: float = 0.1, at: float = 0.85) -> Picture:
    """A picture with words on it: white with a black edge, as memes have them.

    Args:
        picture: what they are written on.
        seed: which words.
        share: of the height, that of a character.
        at: of the height, where they stand.
    """
    made = on_white(picture).copy()
    side = max(6, round(made.height * share))
    place = round(made.width * 0.1), round(made.height * at)
    for shift, ink in (((2, 2), "black"), ((0, 0), "white")):
        rng = random.Random(seed)
        where = place[0] + shift[0], place[1] + shift[1]
        glyphs(rng, ImageDraw.Draw(made), where, side, min(8, int(made.width * 0.7 / side)), ink)
    return made


KEPT: dict[str, Change] = {
    "JPEG 85": _jpeg(85),
    "JPEG 50": _jpeg(50),
    "WebP 75": lambda picture: encoded(picture, "WEBP", quality=75),
    "GIF palette": lambda picture: encoded(picture, "GIF"),
    "longest side 1080": _longest(1080),
    "longest side 200": _longest(200),
    "three times JPEG 60": _thrice,
    "brighter by 15 %": lambda p: encoded(ImageEnhance.Brightness(on_white(p)).enhance(1.15)),
    "grey": lambda p: encoded(on_white(p).convert("L"), "JPEG", quality=85),
}
"""Changes after which it is the same picture."""
HELD: dict[str, Change] = {
    "cut 2 % all round": _cut(0.02, 0.02, 0.02, 0.02),
    "cut 4 % all round": _cut(0.04, 0.04, 0.04, 0.04),
    "cut 7 % all round": _cut(0.07, 0.07, 0.07, 0.07),
    "cut 5 % at the bottom": _cut(0, 0, 0, 0.05),
    "cut 10 % right": _cut(0, 0, 0.1, 0),
    "watermark in a corner": _watermark,
    "border 2 % white": _framed(0.02, "white"),
    "border 5 % black": _framed(0.05, "black"),
    "border 8 % grey": _framed(0.08, (128, 128, 128)),
    "phone screenshot of it": _on_phone,
    "white caption bar under it": _captioned,
}
"""Changes after which one picture is in the other, or has something on it."""
WORDED: dict[str, Change] = {
    "other words on the lower edge": lambda p: encoded(worded(worded(p, 1), 2), "JPEG", quality=85),
    "words on the lower edge": lambda p: encoded(worded(p, 2), "JPEG", quality=85),
    "small words on top": lambda p: encoded(worded(p, 3, 0.05, 0.05), "JPEG", quality=85),
    "small words in the middle": lambda p: encoded(worded(p, 4, 0.06, 0.5), "JPEG", quality=85),
}
"""Changes after which it must never be called the same picture."""
SMALL_WORDS: dict[str, Change] = {
    f"words of {share * 100:g} % of the height": lambda p, share=share: encoded(
        worded(p, 5, share, 0.88), "JPEG", quality=75
    )
    for share in (0.04, 0.03, 0.02, 0.015)
}
"""Words that are hard to see: the fewer are called the same, the better."""
