"""`Sighting`: where and when a reference was seen; `SightingFilter`: which of them are meant."""

from dataclasses import dataclass, field
from typing import TypedDict

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


class SightingFilter(TypedDict, total=False):
    """Which sightings are meant: those that fit all that is given and is not None."""

    sha256: str | None
    """Of the image, in lower-case hex."""
    bot: str | None
    """The id of the bot that saw it."""
    chat: str | None
    """The chat, as in `Sighting.chat`."""
    user: str | None
    """The id of the user who sent it."""
    message_id: str | None
    """The message it stands in."""
    since: float | None
    """Sent at this time or later; seconds since the epoch."""
    not_by: str | None
    """A user who has sent none of them."""
    arrived_by: float | None
    """Arrived at this time or earlier, as in `Sighting.arrived`; seconds since the epoch."""
