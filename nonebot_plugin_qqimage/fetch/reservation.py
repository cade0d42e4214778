"""The memory that may be held for one image while it is fetched."""

from typing import Protocol


class Reservation(Protocol):
    """Bytes of memory held by one fetch."""

    @property
    def size(self) -> int:
        """Bytes held."""
        ...

    def resize(self, size: int) -> None:
        """Correct the reservation to what is really held, in bytes; never waits."""
        ...


def memory_for(size: int) -> int:
    """Bytes of memory that getting an image of so many bytes takes.

    An answer may hold it as base64, which is there three times while it is read: the frame, its
    text, and what is parsed from that. A download needs none of it, but large buffers that come
    and go leave about as much behind in the allocator. Measured: `tests/benchmarks/flood.py`.
    """
    return size + 3 * ((size + 2) // 3 * 4)
