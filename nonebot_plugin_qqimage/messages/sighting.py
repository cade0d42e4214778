"""`Sighting`: where and when a reference was seen."""

from dataclasses import dataclass

from .reference import ImageReference


@dataclass(frozen=True)
class Sighting:
    """One image in one message; ``resolver.image(sighting)`` gives a handle on it."""

    reference: ImageReference
    """What the segment said, with the bot, the message and the position in the message."""
    chat: str
    """The chat: ``group:<id>`` or ``private:<id of the other side>``."""
    user: str
    """The id of the user who sent it."""
    time: float
    """When, in seconds since the epoch."""
    sha256: str = ""
    """SHA-256 of the image in lower-case hex; empty while it has not been fetched."""


def group_chat(group_id: object) -> str:
    """The name of a group's chat."""
    return f"group:{group_id}"


def private_chat(user_id: object) -> str:
    """The name of the private chat with somebody."""
    return f"private:{user_id}"
