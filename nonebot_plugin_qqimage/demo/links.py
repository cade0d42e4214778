"""The connections between a peer and its bots that take events."""

import asyncio
from typing import Any, Protocol


class Link(Protocol):
    """A connection to a bot that takes events."""

    async def send_event(self, frame: dict[str, Any]) -> None:
        """Send a frame to the bot; a connection that just broke loses it."""
        ...

    async def drop(self) -> None:
        """Break the connection without a word."""
        ...


class Links:
    """All such connections, and how many there ever were."""

    def __init__(self) -> None:
        self.open: set[Link] = set()
        self.count = 0
        """How many connections there were, broken ones too."""
        self._changed = asyncio.Condition()

    async def attach(self, link: Link) -> None:
        """Know a connection."""
        self.open.add(link)
        self.count += 1
        async with self._changed:
            self._changed.notify_all()

    def detach(self, link: Link) -> None:
        """Forget a connection."""
        self.open.discard(link)

    async def connected(self, count: int, timeout: float) -> None:
        """Wait until there were that many connections."""

        async def wait() -> None:
            async with self._changed:
                await self._changed.wait_for(lambda: self.count >= count)

        await asyncio.wait_for(wait(), timeout)
