"""`Pause`: a moment in which nothing comes, after which what has come is handed on."""

import asyncio
from collections.abc import Callable

_PAUSE = 0.02
"""Seconds without another reference; most first matchers have answered by then."""
_MAX_PAUSE = 0.1
"""Seconds that the first one waits at most while others keep coming; no link dies in that."""


class Pause:
    """Calls back once a pause is over, or after a given time.

    Args:
        over: is called then, on the event loop.
    """

    def __init__(self, over: Callable[[], None]) -> None:
        self._over = over
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._first = self._newest = 0.0  # when what waits for the pause came; 0 for nothing

    def came(self) -> None:
        """Something has come: wait until nothing else comes, but not too long."""
        self._newest = asyncio.get_running_loop().time()
        self._first = self._first or self._newest
        self.within(_PAUSE)

    def cut_short(self) -> None:
        """End the pause now."""
        self._first = self._newest = 0.0
        self.within(0)

    def within(self, seconds: float) -> None:
        """Call back within so many seconds, if there is no pause then."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        if self._timer is not None:
            if self._due <= due:  # not the timer's own, for uvloop's may have none
                return
            self._timer.cancel()
        self._due, self._timer = due, loop.call_at(due, self._look)

    def cancel(self) -> None:
        """Call back no more for what has come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        left = min(self._newest + _PAUSE, self._first + _MAX_PAUSE) - now
        if left > 0:
            return self.within(left)
        self._first = 0.0
        return self._over()
