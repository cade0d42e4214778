"""Lists of what happened, which one can wait to grow."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Record(list[T]):
    """A list to append to, and to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self._more = asyncio.Event()

    def append(self, item: T) -> None:
        """Add an item and wake who waits."""
        super().append(item)
        self._more.set()

    async def reach(
        self, count: int, *, timeout: float = 5.0, where: Callable[[T], bool] = lambda item: True
    ) -> None:
        """Wait until there are that many items, or that many of a certain sort.

        Raises:
            asyncio.TimeoutError: they did not come in time.
        """

        async def wait() -> None:
            while sum(where(item) for item in self) < count:
                self._more.clear()
                await self._more.wait()

        await asyncio.wait_for(wait(), timeout)
