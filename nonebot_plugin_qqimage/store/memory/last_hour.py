"""What was counted in the last hour, by this process."""

import time
from collections import Counter, deque

_SECONDS = 3600.0
_SLICE = 60.0
"""Seconds that are counted together."""


class LastHour:
    """Counts things, and forgets them after an hour."""

    def __init__(self) -> None:
        self._slices: deque[tuple[float, Counter[tuple[str, str]]]] = deque()

    def count(self, kind: str, what: str) -> None:
        """One more of these; there are few different ones."""
        now = time.monotonic()
        if not self._slices or now - self._slices[-1][0] >= _SLICE:
            self._slices.append((now, Counter()))
            self._forget(now)
        self._slices[-1][1][kind, what] += 1

    def counted(self, kind: str) -> dict[str, int]:
        """How many there were of each thing of a kind."""
        self._forget(time.monotonic())
        found: Counter[str] = Counter()
        for _, counts in self._slices:
            found.update({what: count for (other, what), count in counts.items() if other == kind})
        return dict(found)

    def _forget(self, now: float) -> None:
        while self._slices and now - self._slices[0][0] > _SECONDS:
            self._slices.popleft()
