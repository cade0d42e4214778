"""Promise 8: re-encoding a picture takes a bounded amount of memory, whatever the picture.

Each picture is re-encoded in a process of its own, which tells how far its memory has grown.
"""

# ruff: noqa: ASYNC240  short looks at small local files

import io
import re
import struct
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.content.bounds import bounds_of
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.content.reencoding.reencoding import fitting

from ..content.variants.metadata import BLOATED
from .common import Line

_PROMISE = "memory of re-encoding"
_FIXED = 64_000_000
_PER_PIXEL, _PER_PIXEL_WEBP = 12, 20
_LIMIT = ScopedConfig().max_decoded_pixels
_METADATA = ScopedConfig().max_image_size - 1_000_000
_FRAMES = 8
"""What an animation counts for, of which several frames are decoded."""


async def attack(folder: Path, quick: bool) -> list[Line]:
    """Re-encode the worst file of each format that the setting allows."""
    if not Path("/proc/self/status").exists():  # no Linux
        return []
    folder.mkdir(exist_ok=True)
    pixels = 8_000_000 if quick else _LIMIT
    figures: list[str] = []
    held = True
    for name, make in _WORST.items():
        if quick and name not in _QUICK:
            continue
        count = pixels // _FRAMES if "sheet" in name else pixels
        width = int(count**0.5)
        size = width, count // width
        file = folder / name.replace(" ", "-")
        file.write_bytes(make(size))
        grown = int(_run(file, "sheet" if "sheet" in name else "first"))
        decoded = size[0] * size[1] * (_FRAMES if "sheet" in name else 1)
        allowed = _FIXED + decoded * (_PER_PIXEL_WEBP if "webp" in name else _PER_PIXEL)
        held = held and grown <= allowed
        figures.append(f"{name} {grown / 1e6:.0f} of {allowed / 1e6:.0f} MB")
    attack = f"the worst file of each format, with {pixels / 1e6:.0f} megapixels"
    lines = [Line(_PROMISE, attack, "; ".join(figures), held)]
    return [*lines, _with_metadata(folder, 6_000_000 if quick else _METADATA, quick)]


def _with_metadata(folder: Path, size: int, quick: bool) -> Line:
    """Re-encode small pictures with as much of each sort of metadata as a file may have."""
    grown: dict[str, int] = {}
    for number, (name, make) in enumerate(BLOATED.items()):
        if not quick or number % 5 == 0:
            file = folder / f"metadata-{number}"
            file.write_bytes(make(size))
            grown[name] = int(_run(file, "first"))
    most = max(grown, key=lambda name: grown[name])
    attack = f"small pictures with {size / 1e6:.0f} MB of metadata, of {len(grown)} sorts"
    figures = f"at most {grown[most] / 1e6:.0f} MB ({most})"
    return Line(_PROMISE, attack, figures, grown[most] <= _FIXED)


def _run(file: Path, animation: str) -> str:
    command = [sys.executable, "-m", __name__, str(file), animation]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]


def _encoded(mode: str, kind: str, **options: object) -> Callable[[tuple[int, int]], bytes]:
    def make(size: tuple[int, int]) -> bytes:
        picture, buffer = Image.new(mode, size, _COLOURS.get(mode, 3)), io.BytesIO()
        more = dict(options)
        if "frames" in more:
            shades = range(int(str(more.pop("frames"))))
            others = [Image.new(mode, size, (shade * 60, 9, 9, 200)) for shade in shades]
            more |= {"save_all": True, "append_images": others}
        picture.save(buffer, kind, **more)
        return buffer.getvalue()

    return make


def _deep_png(size: tuple[int, int]) -> bytes:
    """A grey PNG of 16 bits a pixel, one shade of which is transparent."""
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(1 + 2 * size[0])) for _ in range(size[1]))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", *size, 16, 0, 0, 0, 0)),
        (b"tRNS", b"\1\2"),
        (b"IDAT", rows + packer.flush()),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def _packed_bmp(size: tuple[int, int]) -> bytes:
    """A BMP packed by run lengths, which Pillow unpacks in several steps."""
    row, left = b"", size[0]
    while left:
        run = min(left, 255)
        row, left = row + bytes([run, 7]), left - run
    body = (row + b"\0\0") * size[1] + b"\0\1"
    head = struct.pack("<IiiHHIIiiII", 40, *size, 1, 8, 1, len(body), 0, 0, 256, 0)
    start = 54 + 1024
    return (
        b"BM"
        + struct.pack("<IHHI", start + len(body), 0, 0, start)
        + head
        + (bytes(range(256)) * 4 + body)
    )


_QUICK = ("png of 16 bits", "jpeg", "webp")
_COLOURS = {"RGB": (1, 2, 3), "RGBA": (1, 2, 3, 4), "CMYK": (1, 2, 3, 4)}
_WORST = {
    "png": _encoded("RGBA", "PNG", compress_level=1),
    "png of 16 bits": _deep_png,
    "png with a fallback": _encoded("RGBA", "PNG", frames=1, default_image=True, compress_level=1),
    "png sheet": _encoded("RGBA", "PNG", frames=2, disposal=2, compress_level=1),
    "jpeg": _encoded("CMYK", "JPEG", subsampling=0, progressive=True),
    "gif": _encoded("P", "GIF", transparency=0),
    "gif sheet": _encoded("RGBA", "GIF", frames=3, disposal=3),
    "webp": _encoded("RGBA", "WEBP", lossless=True, method=0),
    "webp sheet": _encoded("RGBA", "WEBP", frames=2, lossless=True, method=0),
    "bmp": _packed_bmp,
    "tiff": _encoded("RGBA", "TIFF", compression="tiff_lzw", strip_size=(1 << 31) - 1),
    "avif": _encoded("RGBA", "AVIF", speed=10, subsampling="4:4:4"),
    "avif sheet": _encoded("RGBA", "AVIF", frames=2, speed=10, subsampling="4:4:4"),
}


def _peak() -> int:
    """Bytes of memory that this process has had at most, since it began its program."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def _main() -> None:
    """Re-encode a file, and print by how many bytes the memory of this process has grown."""
    file, animation = sys.argv[1:]
    warnings.simplefilter("ignore")
    data = Path(file).read_bytes()
    info = inspect(data, max_size=1 << 30, max_pixels=1 << 40)
    Image.init()
    formats = ["jpeg"] if info.mime == "image/webp" else ["webp"]
    before = _peak()
    bounds = bounds_of(None, None, formats, "sheet" if animation == "sheet" else "first")
    assert bounds is not None
    assert fitting(data, info, bounds, _LIMIT) is not None
    print(_peak() - before)


if __name__ == "__main__":
    _main()
