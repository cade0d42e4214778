"""A budget of bytes that concurrent fetches share, so that they cannot exhaust memory together."""

import asyncio
from collections import deque
from typing import NamedTuple


class NoTurn(Exception):
    """Too many others were ahead for too long."""


class ByteBudget:
    """Bytes that some may hold at once, handed out first come, first served.

    Args:
        total: bytes; a single reservation beyond it is cut to it, so that it can ever be met.
        holders: how many may hold some at once; None for any number.
        max_wait: seconds that each waits at most; None for any time.
    """

    def __init__(
        self, total: int, *, holders: int | None = None, max_wait: float | None = None
    ) -> None:
        self._total = total
        self._free = total
        self._seats = float("inf") if holders is None else holders
        self._max_wait = float("inf") if max_wait is None else max_wait
        self._waiting: deque[_Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def reserve(self, size: int) -> "Reservation":
        """So many bytes: ``async with`` waits until they are free, and holds them within."""
        return Reservation(self, min(size, self._total))

    async def take(self, size: int) -> None:
        """Wait for bytes.

        Raises:
            NoTurn: they did not become free in time.
        """
        if not self._waiting and self._seats and size <= self._free:
            self._seats -= 1
            self._free -= size
            return
        loop = asyncio.get_running_loop()
        waiter = _Waiter(size, loop.create_future(), loop.time() + self._max_wait)
        self._waiting.append(waiter)
        self._watch()
        try:
            if await waiter.turn:
                return
        except asyncio.CancelledError:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
                self.give(0)
            elif not waiter.turn.cancelled() and waiter.turn.result():  # in the same moment
                self.leave(size)
            raise
        raise NoTurn

    def leave(self, size: int) -> None:
        """Hold nothing any more, of so many bytes."""
        self._seats += 1
        self.give(size)

    def give(self, size: int) -> None:
        """Return bytes (or take, when negative, without waiting) and serve who waits."""
        self._free += size
        while self._waiting and self._seats and self._waiting[0].size <= self._free:
            waiter = self._waiting.popleft()
            if waiter.turn.done():  # its task has yet to learn that it waits no longer
                continue
            self._seats -= 1
            self._free -= waiter.size
            waiter.turn.set_result(True)

    def _watch(self) -> None:
        """See to it that the first one, who has waited for longest, waits no longer than that."""
        if self._timer is None and self._waiting and self._waiting[0].until < float("inf"):
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._waiting[0].until, self._send_away)

    def _send_away(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._waiting and self._waiting[0].until <= now:
            turn = self._waiting.popleft().turn
            if not turn.done():
                turn.set_result(False)
        self.give(0)
        self._watch()


class _Waiter(NamedTuple):
    size: int
    turn: asyncio.Future[bool]
    """Whether it has come, or will not."""
    until: float


class Reservation:
    """Bytes held by one fetch, within ``async with``.

    Args:
        budget: of whose bytes.
        size: how many.
    """

    def __init__(self, budget: ByteBudget, size: int) -> None:
        self._budget = budget
        self._size = size

    async def __aenter__(self) -> "Reservation":  # noqa: PYI034  Self came with Python 3.11
        await self._budget.take(self._size)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._budget.leave(self._size)

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
