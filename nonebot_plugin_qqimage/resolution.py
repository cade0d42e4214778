"""From a reference to verified bytes: store first, one flight per image."""

import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace

import anyio
from nonebot.adapters import Bot as BaseBot
from nonebot.adapters.onebot.v11 import Bot
from nonebot.log import logger

from .budget import ByteBudget, NoTurn, Reservation, memory_for
from .config import ScopedConfig
from .content import ImageInfo
from .errors import (
    Attempt,
    Cause,
    ImageUnavailable,
    QQImageError,
    StoreError,
    mask_keys,
    unavailable,
)
from .flights import Flights
from .image import State, StoredImage
from .links import Links
from .peer import Peer, Peers
from .recent import Recent
from .reference import ImageReference
from .sources import Fetch, Fetched, Sources
from .store import ImageStore

_MAX_FLIGHTS = 4096
"""Images that may wait for their turn."""
_MAX_WAIT = 600.0
"""Seconds an image may wait for its turn."""
_QUIET = 600.0
"""Seconds until the same trouble with the store is logged again."""
_CLOSE_TIMEOUT = 5.0
_MAX_SIGHTINGS_ASKED = 3
"""Messages asked for an image that is known by its digest alone."""
_UNKNOWN = 1 << 62
"""Bytes to prepare for while nobody has said how many there are."""


class Resolution:
    """Resolves references, and keeps what they mean.

    Args:
        config: the settings.
        store: where images are kept.
        sources: the ways to get one that is not.
        bots: the connected bots by their id, asked anew each time.
    """

    def __init__(
        self,
        config: ScopedConfig,
        store: ImageStore,
        sources: Sources,
        bots: Callable[[], Mapping[str, BaseBot]],
    ) -> None:
        self._config = config
        self._store = store
        self._sources = sources
        self._bots = bots
        self._peers = Peers(config.frame_limit or None)
        self._flights: Flights[StoredImage] = Flights(_MAX_FLIGHTS)
        self._budget = ByteBudget(
            config.max_bytes_in_flight, holders=config.concurrency, max_wait=_MAX_WAIT
        )
        self._held = 0
        self._recent = Recent()
        self._store_trouble: dict[str, float] = {}
        self.links = Links(config)
        """Makes URLs of images, and opens them."""

    @property
    def store(self) -> ImageStore:
        """Where images are kept."""
        return self._store

    @property
    def config(self) -> ScopedConfig:
        """The settings."""
        return self._config

    @property
    def peers(self) -> list[Peer]:
        """The peers of the connected bots that speak OneBot v11."""
        return [self._peers.of(bot) for bot in self._bots().values() if isinstance(bot, Bot)]

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

    def disconnected(self, bot: BaseBot) -> None:
        """End the calls of a bot whose connection is gone."""
        if isinstance(bot, Bot):
            self._peers.disconnected(bot)

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

    def url(self, reference: ImageReference, *, public: bool = False) -> str:
        """The URL under which this bot serves an image.

        Raises:
            QQImageError: it serves none, or not this one, or nobody but its own plugins.
        """
        try:
            return self.links.url(reference, public=public)
        except ValueError as error:
            raise QQImageError(str(error)) from None

    async def close(self) -> None:
        """End everything under way, and close the store."""
        with anyio.move_on_after(_CLOSE_TIMEOUT, shield=True):
            await self._flights.close()
            await self._sources.close()
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
            # it may have come another way since: what this bot sends is often told of by the peer
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
            self.complain(error)
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
            self.complain(error)
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
        fetch = Fetch(reference, lambda: self.peer(reference.self_id), reservation)
        return await self._sources.fetch(fetch)

    def _turn(self, reference: ImageReference) -> Reservation:
        size = min(reference.size or reference.held or _UNKNOWN, self._config.max_image_size)
        return self._budget.reserve(memory_for(size) if reference.size else size)

    async def _keep(self, reference: ImageReference, fetched: Fetched) -> StoredImage:
        path = self._store.path(fetched.info)
        try:
            await self._store.put(reference, fetched.info, fetched.data, fetched.source)
        except StoreError as error:
            # who waits gets the image all the same; it just cannot be kept
            self.complain(error)
            return StoredImage(reference, fetched.info, fetched.source, path, fetched.data)
        return StoredImage(reference, fetched.info, fetched.source, path)

    def peer(self, self_id: str) -> Peer | None:
        """The peer of a connected bot that speaks OneBot v11; None for any other."""
        bot = self._bots().get(self_id)
        return self._peers.of(bot) if isinstance(bot, Bot) else None

    def complain(self, error: StoreError) -> None:
        """Log trouble with the store once per cause, not once per image."""
        now = time.monotonic()
        if now - self._store_trouble.get(str(error), -_QUIET) >= _QUIET:
            self._store_trouble[str(error)] = now
            logger.error(f"qqimage: {error}; images are still fetched, but not kept")


def _too_busy(reference: ImageReference) -> ImageUnavailable:
    detail = f"{_MAX_FLIGHTS} images or {_MAX_WAIT:g} s of waiting are ahead of it"
    return unavailable(str(reference), (Attempt("resolver", Cause.TIMEOUT, detail, 0.0),))
