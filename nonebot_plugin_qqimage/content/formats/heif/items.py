"""The items of AVIF and HEIC (ISO/IEC 23008-12): their places, and the size of the picture."""

from collections.abc import Iterator
from typing import NamedTuple

from .boxes import Box, BoxFile

_PICTURES = {
    b"hvc1",
    b"av01",
    b"avc1",
    b"vvc1",
    b"jpeg",
    b"j2k1",
    b"unci",
    b"grid",
    b"iden",
    b"iovl",
}
_DESCRIPTIONS = {b"Exif", b"mime", b"uri "}
"""Items that are no pictures, but say something of one."""
_NEEDED = {b"pitm", b"iloc", b"idat", b"iprp", b"iinf", b"iref"}


class Items(NamedTuple):
    """What the box ``meta`` says."""

    width: int
    """Width in pixels of the main picture, as it is coded; 0 without one."""
    height: int
    """Height in pixels of the main picture, as it is coded; 0 without one."""
    shown: tuple[int, int]
    """Width and height in pixels, cropped and turned as its properties say."""
    pictures: int
    """Pictures that are no thumbnails, tiles or other parts of one."""
    complete: bool
    """Whether the bytes of every item are there."""


def items_of(file: BoxFile, meta: Box) -> Items:
    """The items of a file.

    Args:
        file: the file.
        meta: the box that describes them.
    """
    found: dict[bytes, Box] = {}
    whole = True
    for box in file.boxes(meta.start + 4, meta.end):
        whole = whole and box.end <= meta.end
        if whole and box.kind in _NEEDED:
            found.setdefault(box.kind, box)
    main = found.get(b"pitm")
    item = file.number(main.start + 4, _id_size(file, main)) if main else 0
    width = height = 0
    shown = 0, 0
    for box in _properties(file, found.get(b"iprp"), item):
        if box.kind == b"ispe":
            width, height = file.number(box.start + 4, 4), file.number(box.start + 8, 4)
            shown = width, height
        elif box.kind == b"clap":  # fractions
            numbers = [file.number(box.start + at, 4) for at in (0, 4, 8, 12)]
            shown = _rounded(*numbers[:2]) or shown[0], _rounded(*numbers[2:]) or shown[1]
        elif box.kind == b"irot" and file.number(box.start, 1) & 1:
            shown = shown[1], shown[0]
    complete = whole and _are_there(file, found.get(b"iloc"), found.get(b"idat"))
    return Items(width, height, shown, _pictures(file, found), complete)


def unneeded(file: BoxFile, meta: Box, max_profile: int) -> Iterator[int]:
    """Where the types stand of what only describes the picture, and of very large profiles.

    Args:
        file: the file.
        meta: the box that describes the items.
        max_profile: bytes of a colour profile that is no such thing.
    """
    for box in file.children(meta, 4):
        if box.kind == b"iinf":
            for info in file.children(box, _names_start(file, box)):
                kind = info.start + 6 + (2 if file.number(info.start, 1) < 3 else 4)
                if file.data[kind : kind + 4] in _DESCRIPTIONS:
                    yield kind
        elif box.kind == b"iprp":
            for each in file.children(file.inside(box, b"ipco")):
                if each.kind == b"colr" and each.end - each.start > max_profile:
                    yield each.start  # the sort of profile


def _names_start(file: BoxFile, names: Box) -> int:
    """Bytes before the first name in the box that lists the items."""
    return 6 if file.number(names.start, 1) == 0 else 8


def _id_size(file: BoxFile, box: Box) -> int:
    """Bytes of the number of an item in a box; its first version has short ones."""
    return 4 if file.number(box.start, 1) else 2


def _rounded(numerator: int, denominator: int) -> int:
    return (numerator + denominator // 2) // denominator if denominator else 0


def _properties(file: BoxFile, properties: Box | None, item: int) -> list[Box]:
    """The properties of an item, in the order in which they are applied."""
    named = (_chosen(file, box, item) for box in file.children(properties) if box.kind == b"ipma")
    chosen = next((each for each in named if each), list[int]())
    boxes = enumerate(file.children(file.inside(properties, b"ipco")), 1)
    there = {number: box for number, box in boxes if number in chosen}
    return [there[number] for number in chosen if number in there]


def _chosen(file: BoxFile, box: Box, item: int) -> list[int]:
    """The numbers of the properties that a box says an item has."""
    wide, id_size = file.number(box.start + 3, 1) & 1, _id_size(file, box)
    position, size = box.start + 8, 1 + wide
    for _ in range(file.number(box.start + 4, 4)):
        if position >= box.end or not file.take():
            break
        count, start = file.number(position + id_size, 1), position + id_size + 1
        if file.number(position, id_size) == item:
            mask = (1 << 8 * size - 1) - 1  # the first bit says whether it matters
            return [file.number(start + at * size, size) & mask for at in range(count)]
        position = start + count * size
    return []


def _are_there(file: BoxFile, locations: Box | None, inside: Box | None) -> bool:
    """Whether every part of every item is there, at least one of them."""
    if locations is None or locations.end - locations.start < 8:
        return False
    position = locations.start
    version, sizes = file.number(position, 1), file.number(position + 4, 2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    id_size = 2 if version < 2 else 4
    count, position = file.number(position + 6, id_size), position + 6 + id_size
    for _ in range(count):
        if position >= locations.end or not file.take():
            return False
        position += id_size
        method = file.number(position, 2) & 15 if version else 0
        position += 2 if version else 0
        elsewhere = file.number(position, 2)  # in another file
        base = file.number(position + 2, base_size)
        extents, position = file.number(position + 2 + base_size, 2), position + 4 + base_size
        end = len(file.data) if method == 0 else inside.end - inside.start if inside else -1
        for _ in range(extents if offset_size + length_size + index_size else min(extents, 1)):
            offset = base + file.number(position + index_size, offset_size)
            length = file.number(position + index_size + offset_size, length_size)
            position += index_size + offset_size + length_size
            if position > locations.end or not file.take():
                return False
            # of the third method are parts of other items, which have places of their own
            if method < 2 and not elsewhere and offset + max(length, length_size == 0) > end:
                return False
    return count > 0


def _pictures(file: BoxFile, found: dict[bytes, Box]) -> int:
    """The pictures that stand for themselves."""
    names = found.get(b"iinf")
    shown: set[int] = set()
    for box in file.children(names, _names_start(file, names) if names else 0):
        version, hidden = file.number(box.start, 1), file.number(box.start + 3, 1) & 1
        size = 2 if version < 3 else 4
        kind = file.data[box.start + 6 + size : box.start + 10 + size]
        if version >= 2 and kind in _PICTURES and not hidden:
            shown.add(file.number(box.start + 4, size))
    links = found.get(b"iref")
    size = _id_size(file, links) if links else 0
    for box in file.children(links, 4):
        if box.kind in (b"thmb", b"auxl"):
            shown.discard(file.number(box.start, size))
    return len(shown)
