"""Flushing: the journal is written down a moment after something was added to it."""

import asyncio
import contextlib

from ...errors import StoreError
from .access import Access
from .journal import Journal

_AFTER = 0.2
"""Seconds that small writes may wait."""
_AT_LEISURE = 5.0
"""Seconds that those may wait which come all the time and matter little, such as uses."""
_AGAIN = 5.0
"""Seconds to wait after it has failed."""


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
        self._not_before = 0.0
        self._ended = False

    def soon(self) -> None:
        """Write it down in a moment, together with what comes until then."""
        self._within(_AFTER)

    def at_leisure(self) -> None:
        """Write it down when something else is, or in some seconds."""
        if self._timer is None:
            self._within(_AT_LEISURE)

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
                self._not_before = asyncio.get_running_loop().time() + _AGAIN
                self.soon()

        self._timer = None
        self._task = asyncio.create_task(flush())

    def _within(self, seconds: float) -> None:
        if self._ended:
            return
        loop = asyncio.get_running_loop()
        due = max(loop.time() + seconds, self._not_before)
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = loop.call_at(due, self._start)
