"""From a reference to verified bytes: store first, one flight per image."""

from collections.abc import Coroutine
from dataclasses import replace

import anyio
from nonebot.log import logger

from ..config import ScopedConfig
from ..content.info import ImageInfo
from ..errors import (
    Attempt,
    Cause,
    ImageUnavailable,
    StoreError,
    mask_keys,
    unavailable,
)
from ..fetch.fetcher import Fetched, Fetcher
from ..fetch.reservation import memory_for
from ..implementation.implementations import Implementations
from ..messages.reference import ImageReference
from ..store.image_store import ImageStore
from .budget import ByteBudget, NoTurn, Reservation
from .flights import Flights
from .recent import Recent
from .store_trouble import StoreTrouble
from .stored_image import State, StoredImage

_MAX_FLIGHTS = 4096
"""Images that may wait for their turn."""
_MAX_WAIT = 600.0
"""Seconds an image may wait for its turn."""
_CLOSE_TIMEOUT = 5.0
_MAX_SIGHTINGS_ASKED = 3
"""Messages asked for an image that is known by its digest alone."""
_UNKNOWN = 1 << 62
"""Bytes to prepare for while nobody has said how many there are."""


class Pipeline:
    """Resolves references, and keeps what they mean.

    Args:
        config: the settings.
        store: where images are kept.
        fetcher: gets an image that is not there.
        implementations: whom it may ask.
    """

    def __init__(
        self,
        config: ScopedConfig,
        store: ImageStore,
        fetcher: Fetcher,
        implementations: Implementations,
    ) -> None:
        self.store = store
        """Where images are kept."""
        self.store_trouble = StoreTrouble()
        """Logs trouble with the store."""
        self._config = config
        self._store = store
        self._fetcher = fetcher
        self._implementations = implementations
        self._flights: Flights[StoredImage] = Flights(_MAX_FLIGHTS)
        self._budget = ByteBudget(
            config.max_bytes_in_flight, holders=config.concurrency, max_wait=_MAX_WAIT
        )
        self._held = 0
        self._recent = Recent()

    def prefetch(self, reference: ImageReference) -> None:
        """Resolve in the background. Nobody is told of a failure but the log.

        It is left undone where too much is under way already; asking for the image does it then.
        """
        if self._store.known(reference) is not None:
            self._store.count("resolved", "store")
        elif (
            self._recent.get(reference) is None
            and not self._flights.full
            and self._held + reference.held <= self._config.max_bytes_in_flight
            and (reference.size or 0) <= self._config.max_image_size
        ):
            self._flights.start(reference.key, lambda: self._take_off(reference))

    def forget_recent(self) -> None:
        """Forget what came of the latest references."""
        self._recent.clear()

    def state(self, reference: ImageReference) -> State:
        """Where an image stands, as far as this process knows without looking."""
        if reference.key in self._flights or reference.own_key in self._flights:
            return "resolving"
        if self._store.known(reference) is not None:
            return "stored"
        outcome = self._recent.get(reference)
        if outcome is None:
            return "new"
        return "stored" if isinstance(outcome, StoredImage) else "failed"

    async def resolve(self, reference: ImageReference) -> StoredImage:
        """The image a reference means.

        Raises:
            ImageUnavailable: no source has it.
        """
        shared = reference.key in self._flights
        try:
            stored = await self._join(reference.key, reference)
            if (
                reference.key == reference.own_key
                or stored.reference == reference
                or stored.info.md5 == reference.md5
            ):
                return stored
        except ImageUnavailable:
            if not shared:
                raise
        # We joined the flight of another reference of that name. It has failed, while ours may
        # have a fresher link; or its content is not what the name promised, and then the name
        # says nothing about ours.
        return await self._join(reference.own_key, reference)

    async def read(self, stored: StoredImage) -> bytes | None:
        """The verified bytes of an image at hand; None when the store has lost them.

        Raises:
            StoreError: the store cannot be read.
        """
        if stored.data is not None:
            return stored.data
        data = await self._store.read(stored.info)
        if data is None:
            self._recent.forget(stored.reference)
        return data

    async def intact(self, stored: StoredImage) -> bool:
        """Whether the file of an image at hand is there and right.

        Raises:
            StoreError: the store cannot be read.
        """
        intact = await self._store.intact(stored.info)
        if not intact:
            self._recent.forget(stored.reference)
        return intact

    async def close(self) -> None:
        """End everything under way, and close the store."""
        with anyio.move_on_after(_CLOSE_TIMEOUT, shield=True):
            await self._flights.close()
            await self._fetcher.close()
            await self._store.close()

    async def _join(self, key: str, reference: ImageReference) -> StoredImage:
        outcome = self._recent.get(reference)
        if isinstance(outcome, StoredImage):
            return outcome
        known = self._store.known(reference)
        if known is not None:
            self._store.count("resolved", "store")
            return self._stored(reference, known)
        if outcome is None and key not in self._flights and self._flights.full:
            outcome = _too_busy(reference)
        if outcome is not None:
            # it may have come another way since: implementations often tell of what this bot sends
            # before the call that sent it returns
            known = await self._known(reference)
            if known is None:
                raise outcome.again()
            stored = self._stored(reference, known)
            self._recent.add(reference, stored)
            return stored
        try:
            return await self._flights.join(key, lambda: self._take_off(reference))
        except ImageUnavailable as error:
            raise error.again() from None

    def _take_off(self, reference: ImageReference) -> Coroutine[None, None, StoredImage]:
        self._held += reference.held  # before the task runs, for more may be started until then
        return self._fly(reference)

    async def _fly(self, reference: ImageReference) -> StoredImage:
        """Everything that is done about one image, in a task of its own."""
        try:
            known = await self._known(reference)
            if known is not None:
                stored = self._stored(reference, known)
            elif reference.bare:
                stored = await self._fetch_again(reference)
            else:
                stored = await self._fetch(reference)
            self._store.count("resolved", stored.source)
            self._store.is_image(reference, stored.info)
            self._recent.add(reference, stored)
            return stored
        except ImageUnavailable as error:
            self._store.count("failed", error.cause)
            self._recent.add(reference, error.again())
            logger.warning(f"qqimage: {error}")
            raise
        except Exception as error:
            logger.exception(f"qqimage: {reference}: unexpected error, please report it")
            attempt = Attempt("resolver", Cause.FAILED, mask_keys(repr(error)), 0.0)
            raise unavailable(str(reference), (attempt,)) from error
        finally:
            self._held -= reference.held

    async def _known(self, reference: ImageReference) -> ImageInfo | None:
        try:
            return await self._store.find(reference)
        except StoreError as error:
            self.store_trouble.log(error)
            return None

    def _stored(self, reference: ImageReference, info: ImageInfo) -> StoredImage:
        return StoredImage(reference, info, "store", self._store.path(info))

    async def _fetch_again(self, reference: ImageReference) -> StoredImage:
        """An image of which nothing is left but where it was seen."""
        attempts = [Attempt("store", Cause.NOT_FOUND, "not stored (any more)", 0.0)]
        try:
            found = await self._store.query(
                lambda index: index.sightings.find(
                    sha256=reference.sha256, limit=_MAX_SIGHTINGS_ASKED
                )
            )
        except StoreError as error:
            self.store_trouble.log(error)
            found = []
        for sighting in found:
            seen = replace(sighting.reference, sha256=reference.sha256)
            try:
                return await self._fetch(seen)
            except ImageUnavailable as error:
                attempts += error.attempts
        raise unavailable(str(reference), tuple(attempts))

    async def fetch_anew(
        self, reference: ImageReference
    ) -> tuple[Fetched | None, tuple[Attempt, ...]]:
        """Ask the sources in order, whatever the store has; nothing is kept.

        Returns:
            The image, or None; and the attempts that failed.

        Raises:
            ImageUnavailable: too much is under way already.
        """
        try:
            async with self._turn(reference) as reservation:
                return await self._ask(reference, reservation)
        except NoTurn:
            raise _too_busy(reference) from None

    async def _fetch(self, reference: ImageReference) -> StoredImage:
        try:
            async with self._turn(reference) as reservation:
                fetched, attempts = await self._ask(reference, reservation)
                if fetched is None:
                    raise unavailable(str(reference), attempts)
                # still in turn: until they are stored, the bytes are in memory
                return await self._keep(reference, fetched)
        except NoTurn:
            raise _too_busy(reference) from None

    async def _ask(
        self, reference: ImageReference, reservation: Reservation
    ) -> tuple[Fetched | None, tuple[Attempt, ...]]:
        return await self._fetcher.fetch(
            reference, lambda: self._implementations.find(reference.self_id), reservation
        )

    def _turn(self, reference: ImageReference) -> Reservation:
        size = min(reference.size or reference.held or _UNKNOWN, self._config.max_image_size)
        return self._budget.reserve(memory_for(size) if reference.size else size)

    async def _keep(self, reference: ImageReference, fetched: Fetched) -> StoredImage:
        path = self._store.path(fetched.info)
        try:
            await self._store.put(reference, fetched.info, fetched.data, fetched.source)
        except StoreError as error:
            # who waits gets the image all the same; it just cannot be kept
            self.store_trouble.log(error)
            return StoredImage(reference, fetched.info, fetched.source, path, fetched.data)
        return StoredImage(reference, fetched.info, fetched.source, path)


def _too_busy(reference: ImageReference) -> ImageUnavailable:
    detail = f"{_MAX_FLIGHTS} images or {_MAX_WAIT:g} s of waiting are ahead of it"
    return unavailable(str(reference), (Attempt("resolver", Cause.TIMEOUT, detail, 0.0),))
