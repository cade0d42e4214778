"""A budget of bytes that concurrent fetches share, so that they cannot exhaust memory together."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class ByteBudget:
    """At most `total` bytes reserved at once, handed out first come, first served.

    Args:
        total: bytes; a single reservation beyond it is cut to it, so that it can ever be met.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._free = total
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def reserve(self, size: int) -> AsyncGenerator["Reservation", None]:
        """Wait until `size` bytes are free and hold them until the end of the block."""
        size = min(size, self._total)
        await self._take(size)
        reservation = Reservation(self, size)
        try:
            yield reservation
        finally:
            reservation.resize(0)

    async def _take(self, size: int) -> None:
        if not self._waiting and size <= self._free:
            self._free -= size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (size, turn)
        self._waiting.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if entry in self._waiting:
                self._waiting.remove(entry)
                self.give(0)
            elif not turn.cancelled():  # cancelled in the same moment as served
                self.give(size)
            raise

    def give(self, size: int) -> None:
        """Return `size` bytes (or take, when negative, without waiting) and serve who waits."""
        self._free += size
        while self._waiting and self._waiting[0][0] <= self._free:
            size, turn = self._waiting.popleft()
            if turn.cancelled():  # its task has yet to learn of it
                continue
            self._free -= size
            turn.set_result(None)


def memory_for(size: int) -> int:
    """Bytes of memory that getting an image of so many bytes takes.

    An answer may hold it as base64, which is there three times while it is read: the frame, its
    text, and what is parsed from that. A download needs none of it, but large buffers that come
    and go leave about as much behind in the allocator. Measured: `tests/benchmarks/flood.py`.
    """
    return size + 3 * ((size + 2) // 3 * 4)


class Reservation:
    """Bytes held by one fetch."""

    def __init__(self, budget: ByteBudget, size: int) -> None:
        self._budget = budget
        self._size = size

    @property
    def size(self) -> int:
        """Bytes."""
        return self._size

    def resize(self, size: int) -> None:
        """Correct the reservation to what is really held, in bytes.

        It never waits: who holds bytes already cannot be told to hold fewer. Growing beyond the
        budget makes the next ones wait longer.
        """
        self._budget.give(self._size - size)
        self._size = size
