"""What a source is: one way to an image's bytes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from ..implementation.answers import ImageAnswer
from ..implementation.implementation import Implementation
from ..messages.reference import ImageReference
from .reservation import Reservation


@dataclass
class Fetch:
    """One image being fetched: what is known about it so far."""

    reference: ImageReference
    """What the segment said."""
    find_implementation: Callable[[], Implementation | None]
    """Gives whom to ask: another one after a reconnect, and None while the bot is away."""
    reservation: Reservation
    """The bytes of memory this fetch may hold."""
    answer: ImageAnswer | None = None
    """What ``get_image`` answered, once it did."""
    spared: bool = False
    """Whether the implementation was asked not to write a file, as this bot could not read it."""
    forgotten: bool = False
    """Whether the implementation did not know the image when it was asked."""
    tried: set[str] = field(default_factory=set[str])
    """The URLs that were tried."""
    expired: str = ""
    """The last URL whose key was refused."""

    def take(self, field: Literal["base64", "file", "url"]) -> str:
        """Use up a field of the answer: what has failed is not tried again."""
        if self.answer is None:
            return ""
        value = {
            "base64": self.answer.base64,
            "file": self.answer.file,
            "url": self.answer.url,
        }[field]
        self.answer = replace(self.answer, **{field: ""})
        return value

    @property
    def implementation(self) -> Implementation | None:
        """Whom to ask now."""
        return self.find_implementation()


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
