"""`Sighting`: where and when a reference was seen."""

from dataclasses import dataclass, field

from .reference import ImageReference


@dataclass(frozen=True)
class Sighting:
    """One image in one message; ``resolver.image(sighting)`` gives a handle on it."""

    reference: ImageReference
    """What the segment said, with the bot, the message and the position in the message."""
    chat: str
    """The chat: ``group:<id>`` or ``private:<id of the other side>``; see `chats`."""
    user: str
    """The id of the user who sent it."""
    time: float
    """When it was sent, as the implementation says; seconds since the epoch."""
    sha256: str = ""
    """SHA-256 of the image in lower-case hex; empty while it has not been fetched."""

    arrived: float = field(default=0.0, compare=False)
    """When this bot saw it, in seconds since the epoch, by which sightings are in order: each one
    is later than the one before, whatever clocks do; 0 until it is written down."""
