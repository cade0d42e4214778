"""`Sighting`: where and when a reference was seen."""

from dataclasses import dataclass

from .reference import ImageReference


@dataclass(frozen=True)
class Sighting:
    """One image in one message; ``resolver.image(sighting)`` gives a handle on it."""

    reference: ImageReference
    """What the segment said; with the bot, the message, and the position in it."""
    chat: str
    """The chat: ``group:<id>`` or ``private:<id of the other side>``."""
    user: str
    """Who sent it."""
    time: float
    """When, in seconds since the epoch."""
    sha256: str = ""
    """What it turned out to be; empty while nobody knows."""


def group_chat(group_id: object) -> str:
    """The name of a group's chat."""
    return f"group:{group_id}"


def private_chat(user_id: object) -> str:
    """The name of the private chat with somebody."""
    return f"private:{user_id}"
