"""Pace: few things begin in one turn of the event loop, so that others have theirs in between."""

import asyncio
from collections import deque

_AT_ONCE = 8
"""Images that are begun with in one turn of the loop; each takes some tenths of a millisecond."""


class Pace:
    """Lets those who ask at the same moment go on a few at a time, in their order."""

    def __init__(self) -> None:
        self._begun = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def turn(self) -> None:
        """Go on at once, or in one of the loop's next turns where many others do.

        No deadline is needed: every turn of the loop lets the next ones go on.
        """
        loop = asyncio.get_running_loop()
        if not self._begun:
            loop.call_soon(self._go_on, loop)
        if self._begun < _AT_ONCE and not self._waiting:
            self._begun += 1
        else:
            waiter = loop.create_future()
            self._waiting.append(waiter)
            await waiter

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        self._begun = 0
        while self._waiting and self._begun < _AT_ONCE:
            waiter = self._waiting.popleft()
            if not waiter.done():  # whoever has given up needs no turn
                waiter.set_result(None)
                self._begun += 1
        if self._begun:
            loop.call_soon(self._go_on, loop)
