"""The memory that may be held for one image while it is fetched."""

from typing import Protocol


class Reservation(Protocol):
    """Bytes of memory held by one fetch."""

    @property
    def size(self) -> int:
        """Bytes held."""
        ...

    @property
    def crowded(self) -> bool:
        """Whether it waits for room to grow, or has given up to wait for it."""
        ...

    def resize(self, size: int) -> None:
        """Correct the reservation to what is really held, in bytes; never waits."""
        ...

    async def grow(self, size: int) -> None:
        """Hold so many bytes at least, once there is room; call it before they are held.

        Call it within a deadline: there may be no room for long.
        """
        ...


def memory_for(size: int) -> int:
    """Bytes of memory that getting an image of so many bytes takes.

    An answer may hold it as base64, which is there three times while it is read: the frame, its
    text, and what is parsed from that. A download needs none of it, but large buffers that come
    and go leave about as much behind in the allocator. Measured: `tests/benchmarks/flood.py`.
    """
    return size + 3 * ((size + 2) // 3 * 4)


def size_within(memory: int) -> int:
    """Bytes of the largest image that takes no more memory than this, by `memory_for`."""
    return max(memory // 5 - 4, 0)
