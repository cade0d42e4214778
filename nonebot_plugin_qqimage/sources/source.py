"""What a source is: one way to an image's bytes."""

from dataclasses import dataclass
from typing import Protocol

from ..budget import Reservation
from ..peer import ImageAnswer, Peer
from ..reference import ImageReference


@dataclass
class Fetch:
    """One image being fetched: what is known about it so far."""

    reference: ImageReference
    """What the segment said."""
    peer: Peer | None
    """Whom to ask; None while the bot is not connected."""
    reservation: Reservation
    """The bytes of memory this fetch may hold."""
    answer: ImageAnswer | None = None
    """What ``get_image`` answered, once it did."""


class Source(Protocol):
    """One way to an image's bytes."""

    @property
    def name(self) -> str:
        """What errors and statistics call it."""
        ...

    async def fetch(self, fetch: Fetch) -> bytes | None:
        """Try this way once.

        Returns:
            The bytes, unchecked; or None when this way does not apply to the image.

        Raises:
            AttemptFailed: it applies, and failed.
        """
        ...
