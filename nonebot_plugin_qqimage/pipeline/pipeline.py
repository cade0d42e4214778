"""From a reference to verified bytes: the store first, then one fetch for all who want them."""

import time
from collections.abc import Callable
from dataclasses import replace

import anyio

from ..config import ScopedConfig
from ..errors import Attempt, Cause, ImageUnavailable, StoreError, unavailable
from ..fetch.dead_links import DeadLinks
from ..fetch.fetcher import Fetched, Fetcher
from ..implementation.implementations import Implementations
from ..language import Text
from ..messages.claims import confirmed
from ..messages.reference import ImageReference
from ..store.image_store import ImageStore
from .arrival import Arrival, State, StoredImage
from .failures import Failures
from .fairness.congestion import Congestion
from .fairness.traffic import Traffic
from .fetching import Fetching, too_busy
from .flying import Flying, rank
from .prefetch_queue import PrefetchQueue
from .single_flight.racing import first_good
from .store_trouble import StoreTrouble

_MAX_FLIGHTS = 4096
"""Images that may be under way, counting those that wait for their turn."""
_CLOSE_TIMEOUT = 5.0
"""Seconds for ending what is under way when the bot ends."""
_PATIENCE = 1.0
"""Seconds that whoever asks for an image waits for a fetch by another reference to it."""


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
        self.watch: Callable[[float, int], None] = lambda seconds, size: None
        """Told of each image that is fetched: after how many seconds, and its bytes."""
        self._config = config
        self._fetcher = fetcher
        self._fetching = Fetching(config, store, fetcher, implementations, self.store_trouble)
        self._closed = False
        self._failures = Failures()
        traffic = Traffic(_MAX_FLIGHTS, config.max_bytes_in_flight)
        self._flying = Flying(
            *(store, self._fetching, self._failures, self.store_trouble, traffic),
            watch=lambda seconds, size: self.watch(seconds, size),
            most=_MAX_FLIGHTS,
        )
        self._congestion = Congestion(store.count)
        self._prefetches = PrefetchQueue(
            self._is_unknown,
            self._flying.take_stored,
            lambda reference: self._fetching.turn(reference, urgent=False),
            self._flying.start,
            traffic,
            self._congestion,
            max_held=config.max_bytes_in_flight,
            max_wait=self._fetching.max_wait,
            spare=max(1, _MAX_FLIGHTS // 4),
        )
        self._flying.ended = self._prefetches.ended

    @property
    def dead_links(self) -> DeadLinks:
        """Which links are known to be dead."""
        return self._fetching.dead_links

    # What others ask for

    async def resolve(self, reference: ImageReference) -> Arrival:
        """The image a reference means, as soon as its bytes are known to be right.

        Raises:
            ImageUnavailable: no source has it.
        """
        self._prefetches.hurry(reference.key)
        other = self._flying.under_way(reference.key) or reference
        alone = other == reference
        if alone or reference.key == reference.own_key:
            try:
                arrival = await self._join(reference.key, reference)
            except ImageUnavailable:
                if alone:
                    raise
                return await self._own(reference)  # only the other reference has failed
            if reference.brings_itself and arrival.reference.content != reference.content:
                # it is of an earlier message with this id, and must not be joined again
                await self._flying.flights.ended(reference.key)
                return await self._own(reference)
            # the content may not be what was claimed, and says nothing of ours then
            return arrival if self._is_meant(arrival, reference) else await self._own(reference)
        # Another reference that claims the same is being fetched, maybe in vain: ours may have a
        # better way, so nobody waits for the other one alone.
        return await first_good(
            self._join(reference.key, reference),
            lambda: self._own(reference),
            patience=_patience(reference, other),
            good=lambda arrival: self._is_meant(arrival, reference),
        )

    def _is_meant(self, arrival: Arrival, reference: ImageReference) -> bool:
        return (
            reference.key == reference.own_key
            or arrival.reference == reference
            or confirmed(arrival.info, reference, binding=self.store.binding)
        )

    async def _own(self, reference: ImageReference) -> Arrival:
        """The image as this reference has it, whatever others that claim the same bring."""
        self._flying.wait_no_longer(reference.own_key)
        return await self._join(reference.own_key, reference)

    async def resolve_anew(self, reference: ImageReference) -> Arrival:
        """The image a reference means, from its sources, whatever the store has.

        Raises:
            ImageUnavailable: no source has it.
        """
        return await self._flying.join(f"anew {reference.own_key}", reference, anew=True)

    async def keep(self, reference: ImageReference, fetched: Fetched) -> None:
        """Keep an image that was fetched elsewhere, while the bot's event loop was blocked."""
        if not self._closed:
            arrival = Arrival(reference, fetched.info, fetched.source, fetched.data)
            self._flying.deliver(lambda _: None, time.monotonic(), arrival)
            await self._fetching.keep(arrival, fetched)

    async def read(self, arrival: Arrival) -> bytes | None:
        """The verified bytes of an image; None when the store has lost them.

        Raises:
            StoreError: the store cannot be read.
        """
        return arrival.data if arrival.data is not None else await self.store.read(arrival.info)

    async def read_or_fetch(self, arrival: Arrival) -> bytes | None:
        """As `read`; where the disk is gone, the same bytes from a source that still has them.

        Raises:
            StoreError: the store cannot be read, and no source has them.
        """
        try:
            return await self.read(arrival)
        except StoreError as error:
            fetched, _ = await self.fetch_anew(arrival.reference)
            if fetched is None or fetched.info.sha256 != arrival.info.sha256:
                raise
            self.store_trouble.log(error)
            return fetched.data

    async def stored(self, arrival: Arrival) -> StoredImage:
        """The image once it is in the store, or is known not to fit there."""
        await arrival.settled()
        path = self.store.path(arrival.info)
        return StoredImage(arrival.reference, arrival.info, arrival.source, path, arrival.data)

    async def fetch_anew(
        self, reference: ImageReference
    ) -> tuple[Fetched | None, tuple[Attempt, ...]]:
        """Ask the sources in order, whatever the store has; nothing is kept.

        Returns:
            The image, or None; and the attempts that failed.

        Raises:
            ImageUnavailable: too much is under way already.
        """
        return await self._fetching.fetch_anew(reference)

    def gather_by(self, gather: Callable[[], None]) -> None:
        """Let something be called before all that depends on what has come.

        Args:
            gather: tells the store and this of what came before; it must not raise.
        """
        self.store.gather_by(gather)
        self._prefetches.gather = gather

    def prefetch(self, reference: ImageReference) -> None:
        """Resolve in the background. Nobody is told of a failure but the log.

        Where too much is under way already, it waits until there is room, while its link can live.
        """
        small = (reference.size or 0) <= self._config.max_image_size
        if small and not self._closed and self._failures.get(reference) is None:
            self._prefetches.add(reference)

    def _is_unknown(self, reference: ImageReference) -> bool:
        known = self.store.known(reference)
        if known is not None:
            self.store.count("resolved", "store")
        return known is None

    def state(self, reference: ImageReference) -> State:
        """Where an image stands, as far as this process knows without looking."""
        for key in (reference.key, reference.own_key):
            if key in self._flying.flights:
                return "stored" if self._flying.flights.delivered(key) else "resolving"
            if key in self._prefetches:
                return "resolving"
        if self.store.known(reference) is not None:
            return "stored"
        return "new" if self._failures.get(reference) is None else "failed"

    def connected(self, self_id: str) -> None:
        """Learn that a bot has connected: what failed for want of that may be had now."""
        self._flying.connected(self_id)
        self._failures.forget_of_connection(self_id)

    def hint(self, reference: ImageReference) -> str:
        """What would help an image that has failed in this process; empty where nothing is known.

        It is in English, and `localized` translates it.
        """
        return self._failures.hint(reference)

    def forget_failures(self) -> None:
        """Try again what failed a moment ago, when it is next asked for."""
        self._failures.clear()

    @property
    def queue(self) -> tuple[int, int]:
        """How many images are under way, and how many wait to be."""
        return len(self._flying.flights), len(self._prefetches)

    async def warm_up(self) -> None:
        """Make ready what downloads need, so that the first one does not wait for it."""
        await self._fetcher.warm_up()

    async def close(self) -> None:
        """End everything under way, and close the store."""
        self._closed = True
        self._prefetches.clear()
        self._congestion.close()
        with anyio.move_on_after(_CLOSE_TIMEOUT, shield=True):
            await self._flying.flights.close()
            await self._fetcher.close()
            await self.store.close()

    async def _join(self, key: str, reference: ImageReference) -> Arrival:
        known = self.store.known(reference, lately=True)
        if known is not None:
            self.store.count("resolved", "store")
            return Arrival(reference, known, "store")
        failure = _closed(reference) if self._closed else self._failures.get(reference)
        if failure is None and key not in self._flying.flights and self._flying.flights.full:
            failure = too_busy(
                reference, Text("{count} images are ahead of it", count=_MAX_FLIGHTS)
            )
        if failure is not None:
            # it may have come another way since: implementations often tell of what this bot sends
            # before the call that sent it returns
            known = None if self._closed else await self._flying.known(reference)
            if known is None:
                raise failure.again()
            self._failures.forget(reference)
            return Arrival(reference, known, "store")
        return await self._flying.join(key, reference)


def _closed(reference: ImageReference) -> ImageUnavailable:
    detail = Text("it is closed, because the bot ends")
    return unavailable(str(reference), (Attempt("resolver", Cause.FAILED, detail, 0.0),))


def _patience(reference: ImageReference, other: ImageReference) -> float | None:
    """Seconds to wait for a fetch by another reference; None for as long as it takes."""
    if replace(reference, position=other.position) == other:
        return None  # the same picture twice in a message: there is no better way to one of them
    return 0 if rank(reference) > rank(other) else _PATIENCE
