"""Pictures to play with: a few real files, and PNGs of any size made on the spot."""

import hashlib
import math
import random
import struct
import zlib
from functools import cache
from pathlib import Path

_FILES = Path(__file__).parent / "pictures_data"

PHOTO = (_FILES / "photo.jpg").read_bytes()
"""A JPEG, 320 x 200."""
WEBP = (_FILES / "picture.webp").read_bytes()
"""A WebP, 320 x 200."""
ANIMATION = (_FILES / "animation.gif").read_bytes()
"""A GIF of eight frames, 160 x 100."""
STICKER = (_FILES / "sticker.gif").read_bytes()
"""A transparent GIF of four frames, 96 x 96, such as people keep as stickers."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SHADES = 256
_EMPTY_CHUNK = 12


def png(width: int = 320, height: int = 200, seed: int = 0) -> bytes:
    """Draw a PNG: a gradient with a few discs on it; another seed gives another picture."""
    dice = random.Random(seed)
    left, right = _colour(dice), _colour(dice)
    sky = b"".join(_blend(left, right, x / width) for x in range(width))
    discs = [
        (
            dice.randrange(width),
            dice.randrange(height),
            dice.randrange(1, max(2, height // 3)),
            bytes(_colour(dice)),
        )
        for _ in range(5)
    ]
    rows: list[bytes] = []
    for y, shade in enumerate(_shades(height)):
        row = bytearray(sky.translate(shade))
        for centre, middle, radius, colour in discs:
            reach = radius**2 - (y - middle) ** 2
            if reach <= 0:
                continue
            half = int(reach**0.5)
            start, end = max(0, centre - half), min(width, centre + half)
            row[3 * start : 3 * end] = colour * (end - start)
        rows.append(b"\0" + row)
    return _png(width, height, zlib.compress(b"".join(rows), 6))


def noise_png(size: int, seed: int = 0) -> bytes:
    """Make a PNG of exactly ``size`` bytes of random dots, which no compression makes smaller."""
    smallest = len(_noise(1, seed)) + _EMPTY_CHUNK
    if size < smallest:
        raise ValueError(f"a PNG of noise has at least {smallest} bytes")
    # Deflate without compression adds some bytes to each of its blocks, at most these.
    side = max(1, math.isqrt((size - size // 1000) // 3) - 5)
    body = _noise(side, seed)
    end = len(body) - _EMPTY_CHUNK
    padding = _chunk(b"paDd", random.Random(~seed).randbytes(size - len(body) - _EMPTY_CHUNK))
    return body[:end] + padding + body[end:]


def extension(data: bytes) -> str:
    """Tell a picture's usual extension from its first bytes; empty if it is no picture."""
    if data.startswith(_SIGNATURE):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return ""


def md5_hex(data: bytes) -> str:
    """Give the lower-case MD5, which QQ knows a picture by."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def qq_name(data: bytes) -> str:
    """Give the name QQ has for a received picture: its MD5 in upper case, and an extension."""
    return f"{md5_hex(data).upper()}.{extension(data) or 'jpg'}"


def _noise(side: int, seed: int) -> bytes:
    width = 3 * side
    dots = random.Random(seed).randbytes(width * side)
    rows = b"".join(b"\0" + dots[y * width : (y + 1) * width] for y in range(side))
    return _png(side, side, zlib.compress(rows, 0))


def _png(width: int, height: int, pixels: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(content, zlib.crc32(kind))
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


@cache
def _shades(height: int) -> list[bytes]:
    """For each row the table that darkens its colours: the top row by half, the last hardly."""
    return [
        bytes(value * (height + y) // (2 * height) for value in range(_SHADES))
        for y in range(height)
    ]


def _colour(dice: random.Random) -> tuple[int, int, int]:
    return dice.randrange(40, 256), dice.randrange(40, 256), dice.randrange(40, 256)


def _blend(left: tuple[int, int, int], right: tuple[int, int, int], share: float) -> bytes:
    return bytes(int(a + (b - a) * share) for a, b in zip(left, right, strict=True))
