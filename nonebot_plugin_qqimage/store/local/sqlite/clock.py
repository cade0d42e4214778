"""The clock of a store: what it says decides what is removed, and machines set theirs now and then.

The order of uses never goes back, whatever the machine's clock does. And after that has jumped, no
image is too old until a day has been spent running, by when it has most likely been put right.
"""

import threading
import time

_JUMP = 60.0
"""Seconds by which the time of day may differ from the time that has passed: what a clock is put
right by in running. A machine that slept is taken for a jump, which only delays ageing."""
_DAY = 24 * 3600.0
"""Seconds of running for which ageing waits after a jump; and of a pause that is no jump."""
_STEP = 1e-6
"""Seconds from one use to the next while the time of day lies before the last use."""


class Clock:
    """Tells the times of uses, and whether the time of day can be trusted. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest = 0.0
        self._known: tuple[float, float] | None = None
        self._rests_until = 0.0
        self._begun = False

    def stamp(self) -> float:
        """The time of a use that happens now: seconds since the epoch, never before the last."""
        with self._lock:
            now = self._look()
            self._latest = now if now >= self._latest else self._latest + _STEP
            return self._latest

    @property
    def rest(self) -> float:
        """Seconds of running until images may be too old again; 0 where the time is trusted."""
        with self._lock:
            self._look()
            return max(0.0, self._rests_until - time.monotonic())

    def begin(self, latest: float, seen: float | None, rest: float) -> None:
        """Compare the time of day with what an earlier run has left; the first time counts.

        Args:
            latest: the time of the latest use; 0 for none. Seconds since the epoch.
            seen: what the time of day was when the store was last looked after; None if unknown.
            rest: what `rest` was then.
        """
        with self._lock:
            if self._begun:
                return
            self._begun = True
            now = self._look()
            self._latest = max(self._latest, latest)
            seen = seen or latest
            if seen and not -_JUMP <= now - seen <= _DAY:
                rest = _DAY
            if rest:
                self._rests_until = time.monotonic() + rest

    def healed(self, latest: float) -> None:
        """Go on behind this use, as those of later times have been put right."""
        with self._lock:
            self._latest = latest

    def _look(self) -> float:
        now, passed = time.time(), time.monotonic()
        if self._known is not None:
            if abs((now - self._known[0]) - (passed - self._known[1])) > _JUMP:
                self._rests_until = passed + _DAY
        self._known = now, passed
        return now
