"""Turns: so many fetches at once, and so many bytes between them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio

from .budget import ByteBudget, Reservation


class NoTurn(Exception):
    """Too many others were ahead for too long."""


class Turns:
    """Hands out turns, first come, first served.

    Args:
        concurrency: how many there are at once.
        max_bytes: bytes that all of them may hold together.
        max_wait: seconds that one may be waited for.
    """

    def __init__(self, concurrency: int, max_bytes: int, max_wait: float) -> None:
        self._slots = asyncio.Semaphore(concurrency)
        self._budget = ByteBudget(max_bytes)
        self._max_wait = max_wait

    @asynccontextmanager
    async def take(self, size: int) -> AsyncGenerator[Reservation, None]:
        """Wait for a turn, and for as many bytes as may be needed.

        Raises:
            NoTurn: it did not come in time.
        """
        async with AsyncExitStack() as stack:
            try:
                with anyio.fail_after(self._max_wait):
                    await stack.enter_async_context(self._slots)
                    reservation = await stack.enter_async_context(self._budget.reserve(size))
            except TimeoutError:
                raise NoTurn from None
            yield reservation
