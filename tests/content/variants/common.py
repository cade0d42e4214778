"""Variants of PNG, JPEG, GIF and WebP."""

import itertools
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from . import profiles
from .pictures import SIZE, Variant, encoded, exif, frames, noise

TRAILING = {"zeros": bytes(70), "text": b"appended by a phone" * 3, "jpeg": b"\xff\xd8\xff\xe0"}


def trailed(name: str, data: bytes) -> Iterator[Variant]:
    yield Variant(name, data)
    for what, more in TRAILING.items():
        yield Variant(f"{name}, {what} appended", data + more, len(data))


def png() -> Iterator[Variant]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        options: list[dict[str, Any]] = [{}, {"exif": exif(6)}, {"optimize": True}]
        if mode in ("RGB", "RGBA", "P"):
            options += [{"icc_profile": profiles.DISPLAY_P3}]
        if mode in ("P", "L", "1", "I;16"):
            options += [{"transparency": 3 if mode != "1" else 0}]
        if mode == "RGB":
            options += [{"transparency": (1, 2, 3)}]
        for number, each in enumerate(options):
            yield from trailed(
                f"png {mode} {[*each]} {number}", encoded(noise(mode), "PNG", **each)
            )
        if mode not in ("1", "I;16"):
            moving = encoded(noise(mode), "PNG", **frames(mode, 4))
            yield from trailed(f"apng {mode}", moving)
    for bits in (1, 2, 4):
        yield Variant(f"png palette of {bits} bits", encoded(noise("P"), "PNG", bits=bits))
    plain = encoded(noise(), "PNG")
    for kind in (b"tEXt", b"eXIf", b"prVt"):
        body = plain if kind == b"prVt" else b"Comment\0" + b"x" * 500  # a whole PNG in a chunk
        chunk = struct.pack(">I", len(body)) + kind + body
        chunk += struct.pack(">I", zlib.crc32(kind + body))
        yield Variant(f"png {kind!r} first", plain[:33] + chunk + plain[33:])
        yield Variant(f"png {kind!r} last", plain[:-12] + chunk + plain[-12:])
    yield Variant("png of many chunks", _split(plain, 7))


def apng_with_fallback() -> Variant:
    return Variant(
        "apng with a fallback", encoded(noise(), "PNG", default_image=True, **frames("RGB", 4))
    )


def _split(data: bytes, size: int) -> bytes:
    """A PNG with its pixels in chunks of so many bytes."""
    at = data.index(b"IDAT") - 4
    length = int.from_bytes(data[at : at + 4], "big")
    body, out = data[at + 8 : at + 8 + length], data[:at]
    for start in range(0, length, size):
        chunk = b"IDAT" + body[start : start + size]
        out += struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return out + data[at + 12 + length :]


def jpeg() -> Iterator[Variant]:
    for mode in ("L", "RGB", "CMYK"):
        for progressive, subsampling, extra in itertools.product(
            (False, True), (0, 2), ("", "exif", "icc", "comment", "restarts")
        ):
            options: dict[str, Any] = {"progressive": progressive, "subsampling": subsampling}
            options |= {
                "": {},
                "exif": {"exif": exif(8)},
                "icc": {"icc_profile": profiles.ADOBE_RGB if mode == "RGB" else profiles.CMYK},
                "comment": {"comment": b"words" * 100},
                "restarts": {"restart_marker_blocks": 1},
            }[extra]
            name = f"jpeg {mode} {progressive} {subsampling} {extra}"
            yield Variant(name, encoded(noise(mode), "JPEG", **options))
    plain = encoded(noise(), "JPEG", exif=exif(3))
    yield from trailed("jpeg", plain)
    segment = b"\xff\xe1\xff\xff" + b"http://ns.adobe.com/xmp/extension/\0" + b"x" * 65498
    for count in (1, 20):
        yield Variant(f"jpeg of {count} long segments", plain[:2] + segment * count + plain[2:])
    thumbnail = b"\xff\xe1" + struct.pack(">H", len(plain) + 2) + plain
    yield Variant("jpeg with a jpeg inside", plain[:2] + thumbnail + plain[2:])
    for place in (b"\xff\xe1", b"\xff\xdb", b"\xff\xc0", b"\xff\xc4", b"\xff\xda"):
        at = plain.index(place, 4 if place != b"\xff\xe1" else 0)
        for junk in (b"\0", b"\xff", b"\xff" * 9, b"junk\0", b"\xff\0", b"\xff\0x\xff\xff"):
            if at > 2 or junk.startswith(b"\xff\xff") or junk == b"\xff":
                name = f"jpeg, {junk!r} before {place!r}"
                yield Variant(name, plain[:at] + junk + plain[at:])


def gif() -> Iterator[Variant]:
    for mode in ("1", "L", "P", "RGB"):
        for interlace, extra in itertools.product((0, 1), ({}, {"comment": b"words" * 99})):
            data = encoded(noise(mode), "GIF", interlace=interlace, **extra)
            yield from trailed(f"gif {mode} {interlace} {[*extra]}", data)
        data = encoded(noise(mode), "GIF", disposal=2, loop=0, **frames(mode, 5))
        yield from trailed(f"gif {mode} animated", data)
        for pad in (b"\0", bytes(300)):
            yield Variant(f"gif {mode}, {len(pad)} before the trailer", data[:-1] + pad + data[-1:])
    still = encoded(noise("P"), "GIF", transparency=3)
    yield Variant("gif transparent", still)
    yield Variant("gif, padding before the trailer", still[:-1] + bytes(5) + still[-1:])
    yield Variant("gif without a screen", still[:6] + bytes(4) + still[10:])
    yield Variant("gif with a narrow screen", still[:6] + b"\2\0\3\0" + still[10:])
    yield Variant("gif, wide", encoded(noise("L", (40_000, 1)), "GIF"))
    yield Variant("gif, high", encoded(noise("L", (1, 65_535)), "GIF"))


def webp() -> Iterator[Variant]:
    for mode in ("RGB", "RGBA"):
        for lossless, extra in itertools.product((False, True), ("", "exif", "icc", "both")):
            options: dict[str, Any] = {"lossless": lossless, "method": 0}
            if extra in ("exif", "both"):
                options["exif"] = exif(6)
            if extra in ("icc", "both"):
                options["icc_profile"] = profiles.DISPLAY_P3
            data = encoded(noise(mode), "WEBP", **options)
            yield from trailed(f"webp {mode} {lossless} {extra}", data)
            if extra in ("", "both"):
                moving = encoded(noise(mode), "WEBP", **options, **frames(mode, 4))
                yield from trailed(f"webp {mode} {lossless} {extra} animated", moving)
    plain = encoded(noise(), "WEBP")
    at = plain.index(b"\x9d\x01\x2a") + 3
    for across, down in itertools.product(range(4), range(4)):
        sides = struct.pack("<HH", SIZE[0] | across << 14, SIZE[1] | down << 14)
        yield Variant(f"webp scaled {across} {down}", plain[:at] + sides + plain[at + 4 :])
