"""What a reader of a format gives, and what several of them need: sizes, and tables of numbers."""

import io
import sys
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

import imagesize  # pyright: ignore[reportMissingTypeStubs]

Part = memoryview
"""Some of the bytes of a file, in the same memory."""
MAX_EXIF = 1 << 20
"""Bytes of EXIF data that is heeded; cameras write about 64 KB."""
MAX_PROFILE = 4 << 20
"""Bytes of a colour profile that is heeded; those of presses have two or three million."""


class Shape(NamedTuple):
    """What the structure of a file says about its picture."""

    width: int
    """Width in pixels; less than 1 where it cannot be read."""
    height: int
    """Height in pixels; less than 1 where it cannot be read."""
    frames: int
    """Number of frames, at least 1."""
    complete: bool
    """Whether everything that the structure announces is there."""


def size_in(header: bytes) -> tuple[int, int]:
    """The width and height in pixels that a header says; both less than 1 where it says none.

    Args:
        header: the start of a PNG, JPEG or WebP, no longer than needed.
    """
    # as stored: turning by EXIF is left to the viewer
    return imagesize.get(  # pyright: ignore[reportUnknownMemberType]
        io.BytesIO(header), exif_rotation=False
    )


def numbers_in(
    data: bytes, start: int, end: int, size: int, order: Literal["little", "big"]
) -> Sequence[int]:
    """The numbers in a part of a file, which take no more memory than that part.

    Args:
        data: the file.
        start: where the first one begins.
        end: where the last one ends.
        size: bytes of each: 1, 2, 4 or 8.
        order: the order of these.
    """
    found: array[int] = array({1: "B", 2: "H", 4: "I", 8: "Q"}[size])
    found.frombytes(memoryview(data)[start:end])
    if order != sys.byteorder:
        found.byteswap()
    return found


def give_way(step: int, every: int = 64) -> None:
    """Let other threads go on now and then, where hostile bytes take many steps.

    The event loop waits for the GIL, which whoever only computes keeps for milliseconds.

    Args:
        step: the number of the step, from 1.
        every: steps after which to do so: some tenths of a millisecond.
    """
    if step % every == 0:
        time.sleep(0)


def without(data: bytes, spans: Iterable[tuple[int, int]]) -> Iterator[Part]:
    """The parts of a file that are not within any of these spans.

    Args:
        data: the file.
        spans: where each begins and ends, in order.
    """
    view, position = memoryview(data), 0
    for start, end in spans:
        if start > position:
            yield view[position:start]
        position = end
    if position < len(data):
        yield view[position:]


def with_changes(data: bytes, changes: Iterable[tuple[int, bytes]]) -> Iterator[Part]:
    """The parts of a file some of whose bytes are replaced by as many others.

    Args:
        data: the file.
        changes: where each begins, and the new bytes, in order.
    """
    view, position = memoryview(data), 0
    for start, new in changes:
        if start >= position and data[start : start + len(new)] != new:
            yield view[position:start]
            yield memoryview(new)
            position = start + len(new)
    yield view[position:]
