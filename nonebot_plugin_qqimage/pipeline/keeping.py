"""Keeping: a fetched image goes into the store; who wants its bytes has them already."""

import asyncio
from collections.abc import Awaitable, Callable

import anyio

from ..errors import StoreError
from ..fetch.fetcher import Fetched
from ..implementation.implementations import Implementations
from ..language import Text
from ..messages.reference import ImageReference
from ..store.image_store import ImageStore
from ..store.local.digests import Agreement
from .arrival import Arrival
from .store_trouble import StoreTrouble

_KEEP_TIMEOUT = 60.0
"""Seconds for writing one image; a dead network mount would take for ever."""
_HEAD_START = 0.001
"""Seconds for whoever waits for the bytes, before threads that write them compete for the GIL."""


class Keeping:
    """Puts fetched images into the store.

    Args:
        store: where images are kept.
        implementations: who told of the links whose truth is written down.
        trouble: told when the store cannot be used.
    """

    def __init__(
        self, store: ImageStore, implementations: Implementations, trouble: StoreTrouble
    ) -> None:
        self._store = store
        self._implementations = implementations
        self._trouble = trouble
        self._under_way: dict[str, Arrival] = {}

    def under_way(self, sha256: str) -> Arrival | None:
        """The image with this SHA-256 while it is written to the store, where it is not found yet.

        What has seen it may be read from the index a moment before it is there itself.
        """
        return self._under_way.get(sha256)

    async def keep(self, arrival: Arrival, fetched: Fetched) -> None:
        """Keep an image that has been delivered, and settle it: on the disk, or not to be kept."""

        async def put() -> None:
            agreement = await self._agreement(arrival.reference, fetched)
            await self._store.put(
                arrival.reference,
                fetched.info,
                fetched.data,
                fetched.source,
                agreement,
                fetched.by_link,
            )

        await self.settle(arrival, put)
        await self._forget_again(arrival)

    async def settle(self, arrival: Arrival, put: Callable[[], Awaitable[object]]) -> None:
        """Settle an image that has been delivered.

        Args:
            arrival: the image.
            put: keeps it in the store, or raises `StoreError`.
        """
        kept = False
        self._under_way[arrival.info.sha256] = arrival
        try:
            await asyncio.sleep(_HEAD_START)
            with anyio.fail_after(_KEEP_TIMEOUT):
                await put()
            kept = True
        except TimeoutError:
            text = Text(
                "{folder} takes more than {seconds:g} s to write an image",
                folder=str(self._store.folder),
                seconds=_KEEP_TIMEOUT,
            )
            self._trouble.log(StoreError(text))
        except StoreError as error:
            # who waits gets the image all the same; it just cannot be kept
            self._trouble.log(error)
        finally:
            arrival.settle(kept=kept)
            if self._under_way.get(arrival.info.sha256) is arrival:
                del self._under_way[arrival.info.sha256]
            # once more, for what was seen since it was delivered, and could not be known yet
            self._store.is_image(arrival.reference, arrival.info)

    async def _agreement(self, reference: ImageReference, fetched: Fetched) -> Agreement | None:
        """Whether the reference's link told the truth, where its bytes came by that."""
        if fetched.link_agrees is None or reference.link is None:
            return None
        name = ""
        implementation = self._implementations.find(reference.self_id)
        if implementation is not None:
            await implementation.identify()  # once for each connection, and not for long
            name = implementation.profile.name
        return Agreement(reference.link.name, name, fetched.link_agrees)

    async def _forget_again(self, arrival: Arrival) -> None:
        """Remove an image that was forgotten, by whatever process, while it was fetched."""
        try:
            if await self._store.forgetting.is_forgotten(arrival.reference):
                await self._store.forgetting.forget_image(arrival.info.sha256)
        except StoreError as error:
            self._trouble.log(error)
