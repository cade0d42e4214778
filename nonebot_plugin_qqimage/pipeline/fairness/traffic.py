"""Traffic: how many images are under way, of which bots and chats, and how much they hold."""

from ...messages.reference import ImageReference
from .shares import Owners, Shares


class Traffic:
    """Counts images from when they are looked up until they are stored, or have failed.

    Args:
        most: images that may be under way at once.
        max_held: bytes that their references may hold themselves, as base64 in segments.
    """

    def __init__(self, most: int, max_held: int) -> None:
        self._most = most
        self._max_held = max_held
        self._count = 0
        self._held = 0
        self._shares = Shares()

    def obstacle(self, reference: ImageReference, shares: Owners, ahead: int) -> str:
        """Why an image has to wait, in a word that `congestion` knows; empty where it need not.

        Args:
            reference: the image.
            shares: its bot and its chat; empty to leave their shares aside.
            ahead: how many others go before it.
        """
        if self._held + reference.held > self._max_held:
            return "memory"
        free = self._most - self._count - ahead
        return "" if free > 0 and self._shares.seat_allowed(shares, free) else "flights"

    def begin(self, reference: ImageReference, shares: Owners) -> None:
        """An image is under way from now on."""
        self._change(reference, shares, 1)

    def end(self, reference: ImageReference, shares: Owners) -> None:
        """An image is not under way any more."""
        self._change(reference, shares, -1)

    def _change(self, reference: ImageReference, shares: Owners, count: int) -> None:
        self._count += count
        self._held += count * reference.held
        self._shares.change(shares, seats=count, size=0)
