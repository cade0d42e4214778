"""Images that other hosts have fetched: found in the shared store, and kept here as well."""

import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from ...content.info import ImageInfo
from ...language import Text
from ...messages.reference import ImageReference
from ..keeping.forgetting import Forgetting
from ..keeping.putting import Putting, names_of
from ..keeping.upkeep import Upkeep
from ..memory.memory import Memory
from ..shared.found import Found
from ..shared.tier import DEADLINE, SharedTier
from .meanings import Meanings

_SOURCE = Text("shared store")
"""The source of what another host has fetched."""


@dataclass(frozen=True)
class Brought:
    """An image of the shared store, verified, that is not kept here yet."""

    info: ImageInfo
    """What it is."""
    data: bytes
    """Its bytes."""
    keep: Callable[[], Awaitable[ImageInfo | None]]
    """Keeps it in the local store; gives None where it was forgotten meanwhile."""


class SharedImages:
    """Brings images from the shared store into this one; nothing, where there is no shared store.

    Every coroutine raises `StoreError` where the local store cannot be read or written.

    Args:
        tier: the shared store; None where there is none.
        putting: keeps images.
        meanings: what references mean.
        memory: what this process knows.
        upkeep: keeps the bounds.
        forgetting: what was forgotten.
        came: told of each image that has come from there.
    """

    def __init__(
        self,
        tier: SharedTier | None,
        putting: Putting,
        meanings: Meanings,
        memory: Memory,
        upkeep: Upkeep,
        forgetting: Forgetting,
        came: Callable[[ImageInfo], None],
    ) -> None:
        self._tier = tier
        self._putting = putting
        self._meanings = meanings
        self._memory = memory
        self._upkeep = upkeep
        self._forgetting = forgetting
        self._came = came

    async def find(self, reference: ImageReference) -> ImageInfo | None:
        """The image a reference means, where the shared store has it; it is kept here then."""
        brought = await self.bring(reference)
        return None if brought is None else await brought.keep()

    async def bring(self, reference: ImageReference) -> Brought | None:
        """The image a reference means, where the shared store has it, for who does not wait until
        it is kept."""
        if self._tier is None:
            return None
        mark = self._memory.mark
        found = await self._tier.find(reference, binding=self._meanings.trust.binding)
        return found and self._brought(reference, found, mark)

    @contextlib.asynccontextmanager
    async def turn(
        self, reference: ImageReference, begun: float
    ) -> AsyncGenerator[Brought | None, None]:
        """Fetch an image that is not stored within this, so that only one host does.

        Args:
            reference: the image.
            begun: since when somebody waits for it, by `time.monotonic`; who waits for another host
                does so for two seconds from then.

        Returns:
            The image, where another host has fetched it meanwhile; None where it is to be fetched.
        """
        if self._tier is None:
            yield None
            return
        deadline, mark = begun + DEADLINE - time.monotonic(), self._memory.mark
        binding = self._meanings.trust.binding
        turn = await self._tier.take_turn(reference, binding=binding, deadline=deadline)
        if isinstance(turn, Found):
            yield self._brought(reference, turn, mark)
            return
        try:
            yield None
        finally:
            if turn is not None:
                self._tier.release(turn)

    def _brought(self, reference: ImageReference, found: Found, mark: str) -> Brought:
        return Brought(found.info, found.data, partial(self._keep, reference, found, mark))

    async def _keep(self, reference: ImageReference, found: Found, mark: str) -> ImageInfo | None:
        """Keep what the shared store has brought, which needs not be told of it.

        Args:
            reference: the reference.
            found: what it means.
            mark: `forgetting.mark` as it was before.

        Returns:
            None where it was forgotten meanwhile.
        """
        info = found.info
        names = names_of(reference, info, by_link=found.by_name)
        begun = time.monotonic()
        full = await self._putting.put(info, names, found.data, _SOURCE, None)
        self._meanings.learn(reference, info, begun, self._putting.mark)
        self._memory.keep(info.sha256, found.data)
        self._came(info)
        if full:
            await self._upkeep.evict_some(keep=info.sha256)
        if self._putting.mark != mark and await self._forgetting.is_forgotten(reference):
            await self._forgetting.forget_image(info.sha256)
            return None
        return info
