"""AVIF and HEIC files taken apart and put together again in another way that means the same."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field


def box(kind: bytes, body: bytes, *, wide: bool = False) -> bytes:
    if wide:
        return struct.pack(">I4sQ", 1, kind, 16 + len(body)) + body
    return struct.pack(">I4s", 8 + len(body), kind) + body


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The type and body of each box."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size


@dataclass
class Layout:
    """How a file is put together."""

    mdat_first: bool = False
    pad: int = 0
    """Bytes after the items in ``mdat``."""
    method: int = 0
    """Where the items are: 0 for ``mdat``, 1 for ``idat``."""
    version: int = 0
    """Of ``iloc``; 0 has no methods, 2 has long numbers."""
    base: bool = False
    """Whether ``iloc`` says places as a base and an offset from it."""
    offset_size: int = 4
    pieces: int = 1
    """Extents of each item."""
    wide: tuple[bytes, ...] = ()
    """Boxes with a size of 64 bits."""
    open_end: bool = False
    """Whether the last box says size 0, until the end of the file."""
    free: int = 0
    """Bytes of a box ``free`` after each box."""
    reverse: bool = False
    """Whether the boxes in ``meta`` come in reverse order, behind ``hdlr``."""
    properties: tuple[bytes, ...] = field(default=())
    """More properties of the main item, applied after its own."""
    after: bytes = b""
    """What is appended to the file."""


def rebuilt(data: bytes, layout: Layout) -> bytes:
    """The same still picture in a file of another layout."""
    parts = dict(boxes(data))
    meta = dict(boxes(parts[b"meta"][4:]))
    items = _items(data, meta[b"iloc"])
    if layout.properties:
        meta[b"iprp"] = _with_properties(meta[b"iprp"], layout.properties)
    heap = b"".join(body for _, body in items)
    stand = 0
    for _ in range(2):  # once for the lengths, and once for the places
        file, stand = _put_together(parts[b"ftyp"], meta, items, heap, layout, stand)
    return file + layout.after


def _put_together(
    ftyp: bytes,
    meta: dict[bytes, bytes],
    items: list[tuple[int, bytes]],
    heap: bytes,
    layout: Layout,
    stand: int,
) -> tuple[bytes, int]:
    """A file, and where its heap of items stands."""
    inner = dict(meta)
    inner[b"iloc"] = _iloc(items, layout, 0 if layout.method == 1 else stand)
    inner.pop(b"idat", None)
    if layout.method == 1:
        inner[b"idat"] = heap
    order = [b"hdlr", *(kind for kind in inner if kind != b"hdlr")]
    if layout.reverse:
        order[1:] = order[:0:-1]
    described = bytes(4) + b"".join(box(k, inner[k], wide=k in layout.wide) for k in order)
    blocks = [(b"ftyp", ftyp), (b"meta", described)]
    if layout.method == 0:
        blocks.insert(1 if layout.mdat_first else 2, (b"mdat", heap + bytes(layout.pad)))
    file, place = b"", 0
    for number, (kind, body) in enumerate(blocks):
        whole = box(kind, body, wide=kind in layout.wide)
        if layout.open_end and number == len(blocks) - 1:
            whole = bytes(4) + whole[4:]
        if kind == b"mdat":
            place = len(file) + len(whole) - len(body)
        file += whole
        if layout.free and number < len(blocks) - 1:
            file += box(b"free", bytes(layout.free))
    return file, place


def _items(data: bytes, iloc: bytes) -> list[tuple[int, bytes]]:
    """The number and bytes of each item, as our encoders write them."""
    version, sizes = iloc[0], int.from_bytes(iloc[4:6], "big")
    widths = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    at = 6
    found: list[tuple[int, bytes]] = []

    def take(size: int) -> int:
        nonlocal at
        at += size
        return int.from_bytes(iloc[at - size : at], "big")

    for _ in range(take(2)):
        number = take(2)
        method = take(2) if version else 0
        take(2)
        base, body = take(widths[2]), b""
        for _ in range(take(2)):
            start = base + take(widths[0])
            length = take(widths[1])
            source = _idat(data) if method == 1 else data
            body += source[start : start + length]
        found.append((number, body))
    return found


def _idat(data: bytes) -> bytes:
    return dict(boxes(dict(boxes(data))[b"meta"][4:]))[b"idat"]


def _iloc(items: list[tuple[int, bytes]], layout: Layout, stand: int) -> bytes:
    number = ">I" if layout.version == 2 else ">H"
    base_size = 8 if layout.base else 0
    out = bytes([layout.version, 0, 0, 0, layout.offset_size << 4 | 4, base_size << 4])
    out += struct.pack(number, len(items))
    offset = 0 if layout.base else stand
    for item, body in items:
        out += struct.pack(number, item)
        if layout.version:
            out += struct.pack(">H", layout.method)
        out += bytes(2) + (stand.to_bytes(8, "big") if layout.base else b"")
        step = max(1, -(-len(body) // layout.pieces))
        cuts = [body[at : at + step] for at in range(0, len(body), step)]
        out += struct.pack(">H", len(cuts))
        for cut in cuts:
            out += offset.to_bytes(layout.offset_size, "big") + struct.pack(">I", len(cut))
            offset += len(cut)
    return out


def _with_properties(iprp: bytes, properties: tuple[bytes, ...]) -> bytes:
    """The properties with more of them, which the first item that has any gets."""
    inner = dict(boxes(iprp))
    count = sum(1 for _ in boxes(inner[b"ipco"]))
    ipma = inner[b"ipma"]
    at = 8 + (2 if ipma[0] == 0 else 4)
    old = ipma[at]
    numbers = bytes(0x80 | count + 1 + extra for extra in range(len(properties)))
    end = at + 1 + old
    ipma = ipma[:at] + bytes([old + len(properties)]) + ipma[at + 1 : end] + numbers + ipma[end:]
    inner[b"ipco"] += b"".join(properties)
    return box(b"ipco", inner[b"ipco"]) + box(b"ipma", ipma)


def clap(width: int, height: int, *, parts: int = 1) -> bytes:
    """The property that crops a picture around its centre."""
    return box(b"clap", struct.pack(">8I", width * parts, parts, height * parts, parts, 0, 1, 0, 1))


def irot(quarters: int) -> bytes:
    """The property that turns a picture."""
    return box(b"irot", bytes([quarters]))


def imir(axis: int) -> bytes:
    """The property that mirrors a picture."""
    return box(b"imir", bytes([axis]))


def sequence_mdat_first(data: bytes) -> bytes:
    """An animation with its data before what describes it."""
    parts = dict(boxes(data))
    order = [kind for kind, _ in boxes(data)]
    old = sum(8 + len(parts[kind]) for kind in order[: order.index(b"mdat")])
    shift = 8 + len(parts[b"ftyp"]) - old
    meta, movie = bytearray(parts[b"meta"]), bytearray(parts[b"moov"])
    places = meta.find(b"iloc") + 4
    assert meta[places : places + 6] == b"\0\0\0\0\x44\0"
    at = places + 8
    for _ in range(int.from_bytes(meta[places + 6 : places + 8], "big")):
        _move(meta, at + 6, shift)
        at += 14
    at = -1
    while (at := movie.find(b"stco", at + 1)) > 0:
        for number in range(int.from_bytes(movie[at + 8 : at + 12], "big")):
            _move(movie, at + 12 + 4 * number, shift)
    return (
        box(b"ftyp", parts[b"ftyp"])
        + box(b"mdat", parts[b"mdat"])
        + box(b"meta", bytes(meta))
        + box(b"moov", bytes(movie))
    )


def _move(data: bytearray, at: int, shift: int) -> None:
    data[at : at + 4] = (int.from_bytes(data[at : at + 4], "big") + shift).to_bytes(4, "big")


def fragmented(movie_brand: bytes, frames: list[bytes], size: tuple[int, int]) -> bytes:
    """An animation in fragments of one frame each, as streaming servers write them."""
    width, height = size
    header = struct.pack(">IIIIII", 0, 0, 0, 1, 0, 0) + bytes(52)
    header += struct.pack(">II", width << 16, height << 16)
    handler = bytes(8) + b"pict" + bytes(13)
    empty = b"".join(
        box(kind, bytes(12 if kind == b"stsz" else 8)) for kind in (b"stsz", b"stsc", b"stco")
    )
    media = box(b"hdlr", handler) + box(b"minf", box(b"stbl", empty))
    track = box(b"trak", box(b"tkhd", header) + box(b"mdia", media))
    extends = box(b"mvex", box(b"trex", struct.pack(">IIIIII", 0, 1, 1, 100, 0, 0)))
    file = box(b"ftyp", movie_brand + bytes(4) + movie_brand) + box(b"moov", track + extends)
    for number, frame in enumerate(frames):
        offset = 0
        for _ in range(2):  # once for its own length
            run = struct.pack(">IIiI", 0x201, 1, offset, len(frame))
            part = box(b"tfhd", struct.pack(">II", 0x20000, 1)) + box(b"trun", run)
            moof = box(b"moof", box(b"mfhd", struct.pack(">II", 0, number)) + box(b"traf", part))
            offset = len(moof) + 8
        file += moof + box(b"mdat", frame)
    return file
