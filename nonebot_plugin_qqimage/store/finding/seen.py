"""Where several images were seen, asked for together: also where the shared store is far away."""

from collections.abc import Sequence

from ...messages.sighting import Sighting
from ..local.access.access import Access
from ..local.sightings import sightings
from ..local.sightings.sightings import Query
from ..local.sqlite.database import Connection
from ..memory.journal import Journal
from ..shared.sightings import merged
from ..shared.tier import SharedTier


class Seen:
    """Answers where images were seen, here and on all hosts.

    Args:
        access: to the index.
        journal: what is yet to be written down.
        tier: the shared store; None where there is none.
    """

    def __init__(self, access: Access, journal: Journal, tier: SharedTier | None) -> None:
        self._access = access
        self._journal = journal
        self._tier = tier

    async def of(
        self, digests: Sequence[str], *, chat: str | None, limit: int, seconds: float
    ) -> list[list[Sighting]]:
        """The sightings of each image, the latest first.

        Args:
            digests: their SHA-256.
            chat: the chat, as in `Sighting.chat`; None for any.
            limit: how many of each at most.
            seconds: how long to wait for the shared store; it is not asked where none are left.

        Raises:
            StoreError: the local store cannot be read.
        """
        await self._journal.flush()

        def look(db: Connection) -> list[list[Sighting]]:
            return [sightings.find(db, Query(limit, sha256, chat=chat)) for sha256 in digests]

        here, tier = await self._access.read(look), self._tier
        if tier is None or not digests:
            return here
        there = await tier.ask(lambda it: it.sightings_of(digests, chat, limit), seconds)
        if there is None:
            return here
        return [
            merged(mine, theirs, ahead=tier.ahead)[:limit]
            for mine, theirs in zip(here, there, strict=True)
        ]
