"""The connections between an implementation and its bots that take events."""

from typing import Any, Protocol

from .record import Record


class Link(Protocol):
    """A connection to a bot that takes events."""

    async def send_event(self, frame: dict[str, Any]) -> None:
        """Send a frame to the bot; a connection that just broke loses it."""
        ...

    async def drop(self) -> None:
        """Break the connection without a word."""
        ...


class Transport(Protocol):
    """A way to bots, which can close and open again."""

    async def start(self) -> None:
        """Open it, also once more."""
        ...

    async def stop(self) -> None:
        """Close it and all its connections."""
        ...


class Links:
    """All such connections."""

    def __init__(self) -> None:
        self.open: set[Link] = set()
        self.ever: Record[Link] = Record()
        """Broken ones too."""

    def attach(self, link: Link) -> None:
        """Know a connection."""
        self.open.add(link)
        self.ever.append(link)

    def detach(self, link: Link) -> None:
        """Forget a connection."""
        self.open.discard(link)
