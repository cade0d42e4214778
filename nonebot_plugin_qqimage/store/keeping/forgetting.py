"""Forgetting on request: a chat's or a user's sightings, one image, and what it all leaves."""

from collections.abc import Callable
from typing import Any

from ...messages.reference import ImageReference
from ..local import outbox
from ..local.access.access import Access
from ..local.files.blobs import Blobs
from ..local.sightings import forgotten
from ..local.sightings.sightings import Query
from ..local.upkeep.forgetting import forget_image, forget_picture_step, forget_step, shown_by
from ..memory.journal import Journal
from ..memory.memory import Memory
from ..shared.tier import SharedTier

_BATCH = 64
"""Sightings removed in one transaction: others that write wait meanwhile."""


class Forgetting:
    """Forgets here, and orders the shared store to do so, too.

    Every coroutine raises `StoreError` where the store cannot be read or written.

    Args:
        access: to the index.
        blobs: where the files are.
        journal: what is yet to be written down.
        memory: what this process knows.
        send: whether the outbox is filled.
        tier: the shared store; None where there is none.
    """

    def __init__(
        self,
        access: Access,
        blobs: Blobs,
        journal: Journal,
        memory: Memory,
        send: bool,
        tier: SharedTier | None,
    ) -> None:
        self.times = 0
        """How often anything was forgotten on request by means of this object."""
        self._access = access
        self._blobs = blobs
        self._journal = journal
        self._memory = memory
        self._send = send
        self._tier = tier

    async def forget(
        self,
        *,
        chat: str | None = None,
        user: str | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> tuple[int, int]:
        """Forget a chat's or a user's sightings, and the images that nobody else referred to.

        Args:
            chat: the chat, as in `Sighting.chat`; None for any.
            user: the user; None for any. One of the two must be given, or it is a `ValueError`.
            progress: told how many sightings have gone so far.

        Returns:
            How many sightings and how many images went.
        """
        if chat is None and user is None:
            raise ValueError("say whose sightings to forget: a chat, a user, or both")
        await self._journal.flush()
        sighted, removed = 0, list[str]()
        # first, so that it is obeyed even if this process ends meanwhile
        await self._order(chat=chat, user=user)
        while True:
            count, gone = await self._access.write(
                lambda db: forget_step(db, self._blobs, chat=chat, user=user, limit=_BATCH)
            )
            self.noted()  # the names of images that stay may have gone, too
            sighted, removed = sighted + count, removed + gone
            progress(sighted)
            if count < _BATCH:
                break
        # what has just been sent of them may not be known to be of this chat or user elsewhere
        order = await self._order(images=removed)
        if self._tier is None:
            return sighted, len(removed)
        elsewhere = await self._tier.forgotten(order)
        return max(sighted, elsewhere[0]), max(len(removed), elsewhere[1])

    async def forget_picture(self, sha256: str) -> int:
        """Forget one image: its file, everything that is known of it, and everybody's pins.

        It is fetched again only where it is seen again.

        Returns:
            How many sightings went.
        """
        await self._journal.flush()
        shown = await self._access.read(lambda db: shown_by(db, sha256))
        await self._order(picture=sha256, keys=[*shown.keys])
        sighted = 0
        while True:
            count = await self._access.write(
                lambda db: forget_picture_step(db, self._blobs, sha256, _BATCH)
            )
            self.noted()
            sighted += count
            if count < _BATCH:
                return sighted

    async def forget_image(self, sha256: str) -> None:
        """Remove an image that was forgotten while it was fetched, unless somebody refers to it."""
        await self._journal.flush()
        await self._access.write(lambda db: forget_image(db, self._blobs, sha256))
        self._memory.forget([sha256])
        self.times += 1

    async def is_forgotten(self, reference: ImageReference) -> bool:
        """Whether a reference means an image that was forgotten, and has not been seen since."""
        if not await self._access.read(lambda db: forgotten.among(db, [reference])):
            return False
        await self._journal.flush()  # it may just have been seen again
        if not await self._access.read(lambda db: forgotten.among(db, [reference])):
            return False
        return self._tier is None or not await self._seen_elsewhere(self._tier, reference)

    async def _seen_elsewhere(self, tier: SharedTier, reference: ImageReference) -> bool:
        """Whether a reference's message stands in the shared store, from which the sightings of
        what is forgotten are removed: another host has seen it since."""
        waiting = await self._access.read(outbox.waiting)
        if not reference.message_id or "forget" in waiting:  # not yet removed there
            return False
        place = Query(_BATCH, bot=reference.self_id, message_id=reference.message_id)
        seen = await tier.sightings(place, [])
        return any(each.reference.key == reference.key for each in seen)

    def noted(self) -> None:
        """Something was forgotten, here or elsewhere: rely on nothing that this process knows."""
        self._memory.clear()
        self.times += 1

    async def _order(self, **what: Any) -> int:
        """Have the shared store forget something, as `outbox.add_forgetting` takes it.

        Returns:
            The number of the order, 0 where nothing is sent.
        """
        if not self._send:
            return 0
        order = await self._access.write(lambda db: outbox.add_forgetting(db, **what))
        if self._tier is not None:
            self._tier.hurry()
        return order
