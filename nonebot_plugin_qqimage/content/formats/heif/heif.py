"""AVIF and HEIC: pictures as items, animations as tracks, in boxes of any order."""

from collections.abc import Iterator

from ..shape import MAX_PROFILE, Part, Shape, with_changes
from .boxes import Box, BoxFile
from .items import items_of, unneeded
from .tracks import tracks_of

AVIF, HEIC = "image/avif", "image/heic"
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), AVIF),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), HEIC),
}
_GENERAL = (b"mif1", b"mif2", b"msf1", b"miaf", b"MiHE", b"MiHB")
"""Brands of any such file; the others that a file names tell which it is."""
_STILL = (b"avif", b"heic", b"heix", b"heim", b"heis")
"""Main brands of files that are shown as a picture even where they have tracks."""
_NEEDED = (b"ftyp", b"meta", b"mdat", b"moov", b"moof", b"sidx")
"""Boxes without whose end a file is cut; whatever else follows may be something appended."""
_MAX_BRANDS = 64


def mime_of(data: bytes) -> str | None:
    """The type of a file that begins with the box ``ftyp``; None where it is no picture.

    Args:
        data: the file, or its beginning.
    """
    main, *others = _brands(data)
    if main in _BRANDS:
        return _BRANDS[main]
    named = {_BRANDS[brand] for brand in others if brand in _BRANDS}
    return AVIF if AVIF in named else HEIC if named or main in _GENERAL else None


def shape_of(data: bytes) -> Shape:
    """The size, frames and completeness of an AVIF or HEIC.

    A HEIC has the size in which it is shown; of an AVIF, decoders leave turning to the viewer.

    Args:
        data: the file.
    """
    file = BoxFile(data)
    found: dict[bytes, Box] = {}
    complete = True
    for box in file.boxes(0, len(data)):
        if box.end > len(data):
            complete = box.kind not in _NEEDED
            break
        if box.kind in (b"meta", b"moov"):
            found.setdefault(box.kind, box)
        elif box.kind == b"sidx":
            complete = complete and _are_there(file, box)
    width = height = 0
    frames = 1
    meta, movie = found.get(b"meta"), found.get(b"moov")
    if meta is not None:
        items = items_of(file, meta)
        complete = complete and items.complete
        if mime_of(data) == AVIF:
            width, height = items.width, items.height
        else:
            (width, height), frames = items.shown, items.pictures
    if movie is not None:
        fragments = (box for box in file.boxes(0, len(data)) if box.kind == b"moof")
        tracks = tracks_of(file, movie, fragments)
        complete = complete and tracks.complete
        width, height = width or tracks.width, height or tracks.height
        frames = frames if _brands(data)[0] in _STILL else tracks.frames
    complete = complete and not file.exhausted and (meta is not None or movie is not None)
    return Shape(width, height, max(frames, 1), complete)


def needed(data: bytes) -> Iterator[Part]:
    """An AVIF or HEIC whose EXIF data, XMP and very large profiles no decoder takes for such.

    Decoders turn its picture by other means.

    Args:
        data: the file.
    """
    file = BoxFile(data)
    meta = next((box for box in file.boxes(0, len(data)) if box.kind == b"meta"), None)
    places = unneeded(file, meta, MAX_PROFILE) if meta else ()
    return with_changes(data, ((place, b"free") for place in places))


def _brands(data: bytes) -> list[bytes]:
    """The main brand of a file, and the others that it names."""
    box = next(BoxFile(data).boxes(0, len(data)), None)
    if box is None:
        return [b""]
    end = min(box.end, box.start + 4 * _MAX_BRANDS)
    return [data[at : at + 4] for at in (box.start, *range(box.start + 8, end, 4))]


def _are_there(file: BoxFile, index: Box) -> bool:
    """Whether the fragments are there whose sizes an index lists."""
    wide = 8 if file.number(index.start, 1) else 4
    position = index.start + 12 + 2 * wide
    end = index.end + file.number(index.start + 12 + wide, wide)
    count = file.number(position + 2, 2)
    if not file.take(count):
        return False
    sizes = (file.number(position + 4 + 12 * number, 4) & 0x7FFFFFFF for number in range(count))
    return end + sum(sizes) <= len(file.data)
