"""Small pictures with large metadata, of every sort that a decoder might copy."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import PIL.Image
from PIL import ImageCms, TiffImagePlugin

ORIENTATION = 0x0112
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body


def written(kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (40, 30), (200, 60, 20)).save(buffer, kind, **options)
    return buffer.getvalue()


def turned(kind: str) -> bytes:
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = 6
    return written(kind, exif=exif, icc_profile=PROFILE)


def jpeg(size: int, marker: int, start: bytes) -> bytes:
    data = turned("JPEG")
    at = data.index(b"\xff\xdb")
    body = start + bytes(60_000)
    return data[:at] + segment(marker, body) * (size // 60_000) + data[at:]


def png(*chunks: bytes, behind: bool = False) -> bytes:
    data = turned("PNG")
    at = data.index(b"IEND" if behind else b"IDAT") - 4
    return data[:at] + b"".join(chunks) + data[at:]


def bombs(size: int) -> bytes:
    """Text that is small only while it is compressed."""
    texts = (
        b"k%d\0\0" % number + zlib.compress(bytes(1_000_000)) for number in range(size // 1_000_000)
    )
    return b"".join(chunk(b"zTXt", text) for text in texts)


def webp(*chunks: bytes) -> bytes:
    body = turned("WEBP")[12:] + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def gif(size: int, label: int, block: bytes) -> bytes:
    data = written("GIF")
    at = 13 + (3 << (data[10] & 7) + 1)
    blocks = (b"\xff" + bytes(255)) * (size // 256)
    return data[:at] + bytes([0x21, label]) + block + blocks + b"\0" + data[at:]


def tiff(size: int, tag: int, order: str = "<", **options: Any) -> bytes:
    entries = TiffImagePlugin.ImageFileDirectory_v2(
        (b"II*\0" if order == "<" else b"MM\0*") + bytes(4)
    )
    entries[ORIENTATION], entries[tag] = 6, bytes(size)
    entries.tagtype[tag] = 7
    return written("TIFF", tiffinfo=entries, **options)


BLOATED: dict[str, Callable[[int], bytes]] = {
    "jpeg: more EXIF data": lambda size: jpeg(size, 0xE1, b"Exif\0\0"),
    "jpeg: XMP": lambda size: jpeg(size, 0xE1, b"http://ns.adobe.com/xmp/extension/\0"),
    "jpeg: other pictures": lambda size: jpeg(size, 0xE2, b"MPF\0"),
    "jpeg: what programs add": lambda size: jpeg(size, 0xED, b"Photoshop 3.0\0"),
    "jpeg: comments": lambda size: jpeg(size, 0xFE, b""),
    "jpeg: padding": lambda size: (data := turned("JPEG"))[:2] + b"\xff" * size + data[2:],
    "png: texts": lambda size: png(*[chunk(b"tEXt", b"a\0" + b"x" * 900_000)] * (size // 900_000)),
    "png: compressed texts": lambda size: png(bombs(size)),
    "png: compressed texts behind": lambda size: png(bombs(size), behind=True),
    "png: a second profile": lambda size: png(chunk(b"iCCP", b"a\0\0" + bytes(size))),
    "png: more EXIF data": lambda size: png(chunk(b"eXIf", b"MM\0*" + bytes(size)), behind=True),
    "png: unknown": lambda size: png(chunk(b"prVt", bytes(size))),
    "webp: XMP": lambda size: webp(riff(b"XMP ", bytes(size))),
    "webp: more EXIF data": lambda size: webp(riff(b"EXIF", bytes(size))),
    "webp: unknown": lambda size: webp(riff(b"JUNK", bytes(size))),
    "gif: comments": lambda size: gif(size, 0xFE, b""),
    "gif: XMP": lambda size: gif(size, 0xFF, b"\x0bXMP DataXMP"),
    "tiff: XMP": lambda size: tiff(size, 700, compression="tiff_lzw", icc_profile=PROFILE),
    "tiff: what programs add": lambda size: tiff(size, 60_000, icc_profile=PROFILE),
    "tiff: of the other order": lambda size: tiff(size, 700, ">", icc_profile=PROFILE),
    "avif: XMP": lambda size: written("AVIF", xmp=bytes(size), icc_profile=PROFILE),
}
"""Files with so many bytes of metadata; where those are compressed, they are as many unpacked."""
