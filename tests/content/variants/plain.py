"""Variants of BMP and TIFF, many of them made by hand."""

import itertools
import random
import struct
from collections.abc import Iterator

from . import profiles
from .common import trailed
from .pictures import SIZE, Variant, encoded, noise

BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)


def bmp(
    header: int, bits: int, *, upside_down: bool = False, announced: int | None = None
) -> bytes:
    """An uncompressed BMP; `announced` is what it says about the size of the file."""
    width, height = SIZE
    body = random.Random(bits).randbytes((width * bits + 31) // 32 * 4 * height)
    palette = random.Random(1).randbytes((3 if header == 12 else 4) << bits) if bits <= 8 else b""
    compression = 3 if bits == 32 and header >= 52 and header != 64 else 0
    if header == 12:
        about = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        sides = width, -height if upside_down else height
        about = struct.pack("<IiiHHII", header, *sides, 1, bits, compression, len(body))
        about = about[:header] + bytes(max(0, header - len(about)))
        if compression:
            masks = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)
            about = about[:40] + masks + about[52:]
    start = 14 + len(about) + len(palette)
    size = start + len(body) if announced is None else announced
    return b"BM" + struct.pack("<IHHI", size, 0, 0, start) + about + palette + body


def bmps() -> Iterator[Variant]:
    for header, bits in itertools.product(BMP_HEADERS, (1, 4, 8, 16, 24, 32)):
        if header == 12 and bits in (16, 32):
            continue
        data = bmp(header, bits)
        yield Variant(f"bmp {header} {bits}", data)
        if header >= 16:
            flipped = bmp(header, bits, upside_down=True)
            yield Variant(f"bmp {header} {bits} upside down", flipped)
        if bits in (8, 24):
            for wrong in (0, 26, len(data) - 9, len(data) + 7, 0xFFFFFFFF):
                name = f"bmp {header} {bits}, {wrong} announced"
                yield Variant(name, bmp(header, bits, announced=wrong))
    yield from trailed("bmp", bmp(40, 24))
    for end in (b"\0\1",):
        rows = b"".join(bytes([SIZE[0], row]) + b"\0\0" for row in range(SIZE[1]))
        body = rows[:-2] + end
        for packed in (0, len(body)):
            head = struct.pack("<IiiHHII", 40, *SIZE, 1, 8, 1, packed) + bytes(16)
            palette = bytes(range(256)) * 4
            size = 54 + 1024 + len(body)
            for announced in (size, size + 9) if packed else (size,):
                data = b"BM" + struct.pack("<IHHI", announced, 0, 0, 54 + 1024)
                name = f"bmp run-length {packed} {announced - size}"
                yield Variant(name, data + head + palette + body)


def tiffs() -> Iterator[Variant]:
    modes = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F")
    for mode, packing in itertools.product(modes, ("raw", "tiff_lzw", "tiff_adobe_deflate")):
        for big in (False, True):
            data = encoded(noise(mode), "TIFF", compression=packing, big_tiff=big)
            yield Variant(f"tiff {mode} {packing} {big}", data)
    for packing in ("packbits", "jpeg", "zstd", "lzma"):
        yield Variant(f"tiff {packing}", encoded(noise(), "TIFF", compression=packing))
    for packing in ("group3", "group4", "tiff_ccitt"):
        yield Variant(f"tiff {packing}", encoded(noise("1"), "TIFF", compression=packing))
    with_profile = encoded(noise(), "TIFF", icc_profile=profiles.SWAPPED, compression="tiff_lzw")
    yield from trailed("tiff with a profile", with_profile)
    others = [noise("RGB", SIZE, seed) for seed in (2, 3)]
    for packing in ("raw", "tiff_lzw"):
        pages = encoded(noise(), "TIFF", compression=packing, save_all=True, append_images=others)
        yield Variant(f"tiff {packing} of three pages", pages)
    many = encoded(noise("RGB", (33, 300)), "TIFF", compression="tiff_lzw", strip_size=1000)
    yield Variant("tiff of many strips", many)
    for order, tiled, first, counts in itertools.product("<>", (0, 1), (0, 1), (0, 1)):
        if counts or not tiled:
            data = tiff(order, tiled=bool(tiled), pixels_first=bool(first), counts=bool(counts))
            yield Variant(f"tiff {order} {tiled} {first} {counts}", data)


def tiff(order: str, *, tiled: bool, pixels_first: bool, counts: bool) -> bytes:
    """A grey TIFF of three strips or four tiles, with or without the number of their bytes."""
    width, height = SIZE
    rows = 8
    sizes = [16 * 16] * 6 if tiled else [rows * width] * 2 + [(height - 2 * rows) * width]
    body = random.Random(3).randbytes(sum(sizes))
    entries: dict[int, list[int]] = {256: [width], 257: [height], 258: [8], 259: [1], 262: [1]}
    entries |= {277: [1]}
    if tiled:
        entries |= {322: [16], 323: [16], 324: [], 325: sizes}
    else:
        entries |= {273: [], 278: [rows]} | ({279: sizes} if counts else {})
    count = len(entries)
    length = (
        2 + 12 * count + 4 + sum(4 * len(sizes) for tag in entries if tag in (273, 279, 324, 325))
    )
    directory_at, body_at = (8 + len(body) + len(body) % 2, 8) if pixels_first else (8, 8 + length)
    entries[324 if tiled else 273] = [body_at + sum(sizes[:at]) for at in range(len(sizes))]
    out, more = struct.pack(order + "H", count), b""
    for tag, values in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            place = directory_at + 2 + 12 * count + 4 + len(more)
            more, packed = more + packed, struct.pack(order + "I", place)
        out += struct.pack(order + "HHI", tag, 4, len(values)) + packed
    directory = out + bytes(4) + more
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", directory_at)
    return head + (body + bytes(len(body) % 2) + directory if pixels_first else directory + body)
