"""Shares: how much each bot and each chat holds of what all of them share."""

from collections import Counter
from collections.abc import Iterable

from ...messages.reference import ImageReference

Owners = tuple[str, ...]
"""Who holds something: a bot, and the chat if that is known; or nobody."""
_BOT, _CHAT = 9, 2
"""How many times as much as is still free each of them may hold. A bot alone gets nine tenths, a
chat alone two thirds, and whoever comes next always finds something."""


class Shares:
    """What each bot and chat holds, and whether it may have more."""

    def __init__(self) -> None:
        self._seats: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    def seat_allowed(self, owners: Owners, free: float) -> bool:
        """Whether these may have one seat more, of so many free ones."""
        for owner, part in _parts(owners):
            if self._seats.get(owner, 0) > part * free:
                return False
        return True

    def bytes_allowed(self, owners: Owners, size: int, free: int) -> bool:
        """Whether these may have so many bytes more, of so many free ones; the first ones always.

        Args:
            owners: a bot and a chat.
            size: bytes wanted.
            free: bytes that nobody holds.
        """
        return all(
            not self._bytes[owner] or self._bytes[owner] + size <= part * (free - size)
            for owner, part in _parts(owners)
        )

    def change(self, owners: Owners, *, seats: int, size: int) -> None:
        """Take note that these hold more, or less."""
        for owner in owners:
            for held, more in ((self._seats, seats), (self._bytes, size)):
                held[owner] += more
                if not held[owner]:
                    del held[owner]


def shares_of(reference: ImageReference) -> Owners:
    """The bot and the chat whose share a reference's image is fetched from."""
    bot, chat = reference.self_id, reference.chat
    return (bot, f"{bot}/{chat}") if bot and chat else (bot,) if bot else ()


def _parts(owners: Owners) -> Iterable[tuple[str, int]]:
    return zip(owners, (_BOT, _CHAT), strict=False)
