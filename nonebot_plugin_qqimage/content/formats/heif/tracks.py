"""The tracks of animated AVIF and HEIC (ISO/IEC 14496-12): their frames, and where these stand."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from ..shape import numbers_in
from .boxes import Box, BoxFile

_SHOWN = (b"pict", b"vide")
"""Tracks that are seen, and no transparency or sound."""
_MAX_SAMPLES = 1 << 18
"""Frames and pieces of sound of all tracks; more than any setting allows by far."""
_BASE, _DURATION, _SIZE, _FLAGS, _FROM_FRAGMENT = 0x1, 0x8, 0x10, 0x20, 0x20000
_PART, _FIRST_FLAGS, _SAMPLE_SIZE = 0x1, 0x4, 0x200
_SAMPLE_FIELDS = (0x100, 0x200, 0x400, 0x800)


_TABLES = {b"stsz", b"stz2", b"stco", b"co64", b"stsc"}
_MAX_TRACKS = 64
"""Boxes in ``moov``; there is one for each track, and a few others."""


class Tracks(NamedTuple):
    """What the box ``moov`` and its fragments say."""

    width: int
    """Width in pixels of what is seen; 0 without a track of it."""
    height: int
    """Height in pixels of what is seen; 0 without a track of it."""
    frames: int
    """Frames of what is seen."""
    complete: bool
    """Whether the bytes of every track are there."""


def tracks_of(file: BoxFile, movie: Box, fragments: Iterable[Box]) -> Tracks:
    """The tracks of a file.

    Args:
        file: the file.
        movie: the box ``moov``.
        fragments: the boxes ``moof``.
    """
    reader = _Reader(file)
    width = height = frames = shown = 0
    for number, track in enumerate(file.boxes(movie.start, movie.end)):
        if track.end > movie.end or number > _MAX_TRACKS:
            reader.complete = False
            break
        if track.kind != b"trak":
            continue
        samples = reader.samples(file.inside(track, b"mdia", b"minf", b"stbl"))
        header, handler = file.inside(track, b"tkhd"), file.inside(track, b"mdia", b"hdlr")
        kind = file.data[handler.start + 8 : handler.start + 12] if handler else b""
        if header and kind in _SHOWN and not shown:
            frames, width = samples, file.number(header.end - 8, 4) >> 16
            height = file.number(header.end - 4, 4) >> 16
            wide = file.number(header.start, 1) == 1
            shown = file.number(header.start + (20 if wide else 12), 4)
    extends = (box for box in file.children(file.inside(movie, b"mvex")) if box.kind == b"trex")
    defaults = {
        file.number(box.start + 4, 4): file.number(box.start + 16, 4)
        for box in islice(extends, _MAX_TRACKS)
    }
    for fragment in fragments:
        for part in file.children(fragment):
            if part.kind == b"traf":
                track, samples = reader.fragment(fragment, part, defaults)
                frames += samples if track == shown else 0
    return Tracks(width, height, frames, reader.complete and frames > 0)


class _Reader:
    """Counts frames, and takes note of whether their bytes are there."""

    def __init__(self, file: BoxFile) -> None:
        self.file, self.number = file, file.number
        self.complete = True
        self._left = _MAX_SAMPLES

    def samples(self, tables: Box | None) -> int:
        """The frames in a track's tables."""
        found = {box.kind: box for box in self.file.children(tables) if box.kind in _TABLES}
        box = found.get(b"stsz") or found.get(b"stz2")
        if box is None:
            return 0
        same, count = self.number(box.start + 4, 4), self.number(box.start + 8, 4)
        sizes: Sequence[int] | None = None
        if box.kind == b"stsz" and same:
            self._left -= count
        elif box.kind == b"stz2" and same & 255 == 4:
            halves = self._table(box, 12, (count + 1) // 2, 1)
            sizes = bytes(half for byte in halves for half in (byte >> 4, byte & 15))
        else:
            sizes = self._table(box, 12, count, (same & 255) // 8 if box.kind == b"stz2" else 4)
        places = found.get(b"stco") or found.get(b"co64")
        if self._left < 0 or (count and places is None):
            self.complete = False
        elif places is not None and self.complete:
            self._check(count, same, sizes, places, found.get(b"stsc"))
        return count if self.complete else min(count, _MAX_SAMPLES)

    def _table(self, box: Box, skipped: int, count: int, size: int) -> Sequence[int]:
        """The numbers in a box; none where it is too short."""
        start, end = box.start + skipped, box.start + skipped + count * size
        self._left -= count
        if self._left < 0 or size not in (1, 2, 4, 8) or end > min(box.end, len(self.file.data)):
            self.complete = False
            return ()
        return numbers_in(self.file.data, start, end, size, "big")

    def _check(
        self, count: int, same: int, sizes: Sequence[int] | None, places: Box, runs: Box | None
    ) -> None:
        """Take note of whether all chunks are there.

        Args:
            count: how many frames there are.
            same: the bytes of each.
            sizes: the bytes of each where they differ.
            places: where the chunks are.
            runs: says how many frames the chunks have, from which one on.
        """
        chunks = self.number(places.start + 4, 4)
        starts = self._table(places, 8, chunks, 8 if places.kind == b"co64" else 4)
        lengths = self._table(runs, 8, 3 * self.number(runs.start + 4, 4), 4) if runs else ()
        frame = each = run = 0
        for chunk, start in enumerate(starts, 1):
            while run < len(lengths) and lengths[run] <= chunk:
                each, run = lengths[run + 1], run + 3
            each = min(each, count - frame)
            size = same * each if sizes is None else sum(sizes[frame : frame + each])
            if each and start + size > len(self.file.data):
                self.complete = False
            frame += each
        if frame < count:
            self.complete = False

    def fragment(self, fragment: Box, part: Box, defaults: dict[int, int]) -> tuple[int, int]:
        """The number of a track, and how many frames a fragment adds to it."""
        frames = track = size = 0
        base = end = fragment.at
        for box in self.file.children(part):
            flags, position = self.number(box.start + 1, 3), box.start + 8
            if box.kind == b"tfhd":
                track = self.number(box.start + 4, 4)
                size = defaults.get(track, 0)
                if flags & _BASE:
                    base, position = self.number(position, 8), position + 8
                    end = base
                position += sum(4 for flag in (0x2, _DURATION) if flags & flag)
                size = self.number(position, 4) if flags & _SIZE else size
            elif box.kind == b"trun":
                count = self.number(box.start + 4, 4)
                if flags & _PART:
                    offset = self.number(position, 4)
                    end = base + offset - (offset >> 31 << 32)  # it has a sign
                position += sum(4 for flag in (_PART, _FIRST_FLAGS) if flags & flag)
                end += self._run(position, count, flags, size, box.end)
                frames += count
                if end > len(self.file.data):
                    self.complete = False
        return track, frames

    def _run(self, position: int, count: int, flags: int, size: int, end: int) -> int:
        """The bytes of a run of frames."""
        self._left -= count
        step = sum(4 for flag in _SAMPLE_FIELDS if flags & flag)
        if self._left < 0 or position + count * step > end:
            self.complete = False
            return 0
        if not flags & _SAMPLE_SIZE:
            return size * count
        position += 4 if flags & 0x100 else 0
        return sum(self.number(position + frame * step, 4) for frame in range(count))
