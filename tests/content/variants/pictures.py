"""Pictures, and how Pillow writes them."""

import contextlib
import io
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import pillow_heif
from PIL import Image

SIZE = 33, 21
"""Odd, so that rows need to be filled up."""


class Variant(NamedTuple):
    """One file."""

    name: str
    """Its format, and what is special about it."""
    data: bytes
    end: int = 0
    """Where the picture ends, if something is appended that may be cut; 0 without."""

    @property
    def picture(self) -> bytes:
        """The file without what is appended."""
        return self.data[: self.end or len(self.data)]


def noise(mode: str = "RGB", size: tuple[int, int] = SIZE, seed: int = 1) -> Image.Image:
    """What no encoder makes small."""
    wide = "RGB" if mode in ("P", "1") else mode
    dice, bands = random.Random(f"{mode} {size} {seed}"), len(Image.new(wide, (1, 1)).getbands())
    bytes_each = 2 if mode == "I;16" else 4 if mode in ("I", "F") else bands
    picture = Image.frombytes(wide, size, dice.randbytes(size[0] * size[1] * bytes_each))
    return picture.quantize(64) if mode == "P" else picture.convert(mode)


@contextlib.contextmanager
def with_heif() -> Iterator[None]:
    """Lets Pillow read and write HEIC for a while: other tests are about one that cannot."""
    pillow_heif.register_heif_opener()
    try:
        yield
    finally:
        del Image.OPEN["HEIF"]
        Image.ID.remove("HEIF")


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with with_heif() if kind == "HEIF" else contextlib.nullcontext():
        picture.save(buffer, kind, **options)
    return buffer.getvalue()


def frames(mode: str, count: int, size: tuple[int, int] = SIZE) -> dict[str, Any]:
    """The options that add frames to a first one."""
    others = [noise(mode, size, seed) for seed in range(2, count + 1)]
    return {"save_all": True, "append_images": others, "duration": 40}


def exif(orientation: int) -> bytes:
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010E] = "a description" * 9
    return data.tobytes()
