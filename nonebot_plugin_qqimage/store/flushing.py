"""Flushing: the journal is written down a moment after something was added to it."""

import asyncio
import contextlib

from ..errors import StoreError
from .access import Access
from .journal import Journal

_AFTER = 0.2
"""Seconds that small writes may wait."""
_AGAIN = 5.0
"""The same, after it has failed."""


class Flushing:
    """Writes a journal down.

    Args:
        journal: what waits.
        access: where it goes.
    """

    def __init__(self, journal: Journal, access: Access) -> None:
        self._journal = journal
        self._access = access
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._one = asyncio.Lock()
        self._ended = False

    def soon(self, after: float = _AFTER) -> None:
        """Write it down in so many seconds, together with what comes until then."""
        if self._timer is None and not self._ended:
            self._timer = asyncio.get_running_loop().call_later(after, self._start)

    async def now(self) -> None:
        """Write it down.

        Raises:
            StoreError: it cannot be; then it goes on waiting.
        """
        async with self._one:  # in their order
            writes = self._journal.take()
            if not writes:
                return
            try:
                await self._access.index(lambda index: index.write(writes))
            except BaseException:
                self._journal.restore(writes)
                raise

    async def end(self) -> None:
        """Write it down a last time, if that is possible."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        with contextlib.suppress(StoreError):
            await self.now()

    def _start(self) -> None:
        async def flush() -> None:
            try:
                await self.now()
            except StoreError:  # whoever uses the store is told; what waits goes on waiting
                self.soon(_AGAIN)

        self._timer = None
        self._task = asyncio.create_task(flush())
