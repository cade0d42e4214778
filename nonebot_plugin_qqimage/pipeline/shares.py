"""Shares: how much each bot and each chat holds of what all of them share."""

from collections import Counter
from collections.abc import Iterable

_SHARE = 3
"""How many times as much as is still free one of them may hold. One alone gets three quarters, two
get three sevenths each, and whoever comes next always finds something."""


class Shares:
    """What each bot and chat holds, and whether it may have more."""

    def __init__(self) -> None:
        self._seats: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    def seat_allowed(self, shares: Iterable[str], free: float) -> bool:
        """Whether these may have one seat more, of so many free ones."""
        return all(self._seats[share] <= _SHARE * free for share in shares)

    def bytes_allowed(self, shares: Iterable[str], size: int, free: int) -> bool:
        """Whether these may have so many bytes more, of so many free ones; the first ones always.

        Args:
            shares: a bot and a chat.
            size: bytes wanted.
            free: bytes that nobody holds.
        """
        rest = _SHARE * (free - size)
        return all(not self._bytes[share] or self._bytes[share] + size <= rest for share in shares)

    def change(self, shares: Iterable[str], *, seats: int, size: int) -> None:
        """Take note that these hold more, or less."""
        for share in shares:
            for held, more in ((self._seats, seats), (self._bytes, size)):
                held[share] += more
                if not held[share]:
                    del held[share]
