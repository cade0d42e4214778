"""Variants of AVIF and HEIC."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from . import profiles
from .boxes import Layout, clap, imir, irot, rebuilt, sequence_mdat_first
from .common import TRAILING, trailed
from .pictures import Variant, encoded, exif, frames, noise

LAYOUTS = {
    "as written": Layout(),
    "data first": Layout(mdat_first=True),
    "data first, padded": Layout(mdat_first=True, pad=1 << 20),
    "data first, in the open": Layout(mdat_first=True, open_end=True),
    "data to the end": Layout(open_end=True),
    "idat": Layout(method=1, version=1),
    "idat of version 2": Layout(method=1, version=2),
    "idat, based": Layout(method=1, version=1, base=True),
    "version 1": Layout(version=1),
    "version 2": Layout(version=2),
    "based": Layout(base=True),
    "based, data first": Layout(base=True, mdat_first=True, version=2),
    "long offsets": Layout(offset_size=8),
    "in pieces": Layout(pieces=4),
    "in pieces, based": Layout(pieces=3, base=True, version=1),
    "wide data": Layout(wide=(b"mdat",)),
    "wide data first": Layout(wide=(b"mdat",), mdat_first=True),
    "wide description": Layout(wide=(b"meta", b"iloc", b"iprp", b"pitm")),
    "all wide": Layout(wide=(b"meta", b"mdat", b"iinf", b"iprp", b"iloc", b"pitm", b"hdlr")),
    "free between": Layout(free=40),
    "turned round": Layout(reverse=True),
    "turned round, data first": Layout(reverse=True, mdat_first=True, free=1),
}
SHOWN = {
    "irot 1": (irot(1),),
    "irot 2": (irot(2),),
    "irot 3": (irot(3),),
    "imir": (imir(0),),
    "imir and irot": (imir(1), irot(1)),
    "clap": (clap(20, 10),),
    "clap of thirds": (clap(20, 11, parts=3),),
    "clap, then irot": (clap(20, 10), irot(1)),
}


def avif() -> Iterator[Variant]:
    for mode in ("L", "RGB", "RGBA"):
        for subsampling in ("4:2:0", "4:4:4", "4:0:0"):
            for extra in ("", "exif", "icc"):
                options: dict[str, Any] = {"subsampling": subsampling, "speed": 10}
                if extra == "exif":
                    options["exif"] = exif(6)
                elif extra == "icc":
                    options["icc_profile"] = profiles.DISPLAY_P3
                data = encoded(noise(mode), "AVIF", **options)
                yield Variant(f"avif {mode} {subsampling} {extra}", data)
    for mode in ("RGB", "RGBA"):
        moving = encoded(noise(mode), "AVIF", speed=10, **frames(mode, 4))
        yield from trailed(f"avif {mode} animated", moving)
        yield Variant(f"avif {mode} animated, data first", sequence_mdat_first(moving))
    yield from _layouts("avif", encoded(noise("RGBA"), "AVIF", speed=10, exif=exif(3)))
    yield from _shown("avif", encoded(noise(), "AVIF", speed=10))


def heic() -> Iterator[Variant]:
    for mode in ("L", "RGB", "RGBA"):
        for extra in ("", "exif", "icc"):
            options: dict[str, Any] = {"quality": 60}
            if extra == "exif":
                options["exif"] = exif(6)
            elif extra == "icc":
                options["icc_profile"] = profiles.DISPLAY_P3
            for size in ((64, 64), (65, 49)):
                data = encoded(noise(mode, size), "HEIF", **options)
                yield Variant(f"heic {mode} {extra} {size}", data)
    pictures = encoded(noise("RGB", (64, 64)), "HEIF", **frames("RGB", 3, (64, 64)))
    yield Variant("heic of three pictures", pictures)
    yield from _layouts("heic", encoded(noise("RGBA", (66, 50)), "HEIF", exif=exif(3)))
    yield from _shown("heic", encoded(noise("RGBA", (66, 50)), "HEIF"))


def _layouts(name: str, data: bytes) -> Iterator[Variant]:
    for what, layout in LAYOUTS.items():
        made = rebuilt(data, layout)
        yield Variant(f"{name} {what}", made)
        for text, more in TRAILING.items():
            if not layout.open_end:
                yield Variant(f"{name} {what}, {text} appended", made + more, len(made))


def _shown(name: str, data: bytes) -> Iterator[Variant]:
    for what, properties in SHOWN.items():
        for layout in (Layout(), LAYOUTS["data first"], LAYOUTS["idat"]):
            made = rebuilt(data, replace(layout, properties=properties))
            where = layout.method, layout.mdat_first
            yield Variant(f"{name} {what} {where}", made)
