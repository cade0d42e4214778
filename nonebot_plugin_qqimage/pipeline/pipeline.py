"""From a reference to verified bytes: the store first, then one fetch for all who want them."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial

import anyio

from ..config import ScopedConfig
from ..content.info import ImageInfo
from ..errors import Attempt, AttemptFailed, Cause, ImageUnavailable, StoreError, unavailable
from ..fetch.dead_links import DeadLinks
from ..fetch.fetcher import Fetched, Fetcher
from ..implementation.implementations import Implementations
from ..language import Text, say
from ..log import logger
from ..messages.claims import confirmed
from ..messages.reference import ImageReference
from ..store.image_store import ImageStore
from .arrival import Arrival, State, StoredImage
from .congestion import Congestion
from .failures import Failures, of_connection
from .fetching import Deliver, Fetching, shares_of, too_busy
from .flights import Flights, Work
from .prefetch_queue import PrefetchQueue, free_key
from .racing import first_good
from .shares import Owners, Shares
from .store_trouble import StoreTrouble

_MAX_FLIGHTS = 4096
"""Images that may wait for their turn."""
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
        self._flights: Flights[Arrival] = Flights(_MAX_FLIGHTS)
        self._closed = False
        self._held = 0  # bytes that the references of all flights hold themselves
        self._failures = Failures()
        self._under_way: dict[str, ImageReference] = {}  # which reference each key is fetched by
        self._behind: dict[str, asyncio.Future[None]] = {}  # keys that wait for another to end
        self._connections: Counter[str] = Counter()  # by bot, how many there were so far
        self._flying = Shares()
        self._asked: set[str] = set()  # keys that somebody waits for
        self._congestion = Congestion(store.count)
        self._prefetches = PrefetchQueue(
            self._start,
            self._room,
            self._congestion,
            max_held=config.max_bytes_in_flight,
            spare=max(1, _MAX_FLIGHTS // 4),
        )

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
        other = self._under_way.get(reference.key)
        if other is None or other == reference:
            arrival = await self._join(reference.key, reference)
            if reference.brings_itself and arrival.reference.content != reference.content:
                # it is of an earlier message with this id, and must not be joined again
                await self._flights.ended(reference.key)
                return await self._own(reference)
            # the content may not be what was claimed, and says nothing of ours then
            return arrival if self._is_meant(arrival, reference) else await self._own(reference)
        if reference.key == reference.own_key:
            try:
                arrival = await self._join(reference.key, reference)
                if not reference.brings_itself or arrival.reference.content == reference.content:
                    return arrival
                # it is of an earlier message with this id, and must not be joined again
                await self._flights.ended(reference.key)
            except ImageUnavailable:  # as the other reference had it
                pass
            return await self._own(reference)
        # Another reference that claims the same is being fetched, maybe in vain: ours may have a
        # better way, so nobody waits for the other one alone.
        return await first_good(
            self._join(reference.key, reference),
            lambda: self._own(reference),
            patience=0 if _rank(reference) > _rank(other) else _PATIENCE,
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
        waiting = self._behind.get(reference.own_key)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        return await self._join(reference.own_key, reference)

    async def resolve_anew(self, reference: ImageReference) -> Arrival:
        """The image a reference means, from its sources, whatever the store has.

        Raises:
            ImageUnavailable: no source has it.
        """
        key = f"anew {reference.own_key}"
        try:
            return await self._flights.join(key, self._flight(key, reference, anew=True))
        except ImageUnavailable as error:
            raise error.again() from None

    async def keep(self, reference: ImageReference, fetched: Fetched) -> None:
        """Keep an image that was fetched elsewhere, while the bot's event loop was blocked."""
        if not self._closed:
            arrival = Arrival(reference, fetched.info, fetched.source, fetched.data)
            self._deliver(lambda _: None, time.monotonic(), arrival)
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

    def prefetch(self, reference: ImageReference) -> None:
        """Resolve in the background. Nobody is told of a failure but the log.

        Where too much is under way already, it waits until there is room, while its link can live.
        """
        if self.store.known(reference) is not None:
            self.store.count("resolved", "store")
        elif (
            self._failures.get(reference) is None
            and (reference.size or 0) <= self._config.max_image_size
        ):
            self._prefetches.add(reference, shares_of(reference))

    def state(self, reference: ImageReference) -> State:
        """Where an image stands, as far as this process knows without looking."""
        for key in (reference.key, reference.own_key):
            if key in self._flights:
                return "stored" if self._flights.delivered(key) else "resolving"
            if key in self._prefetches:
                return "resolving"
        if self.store.known(reference) is not None:
            return "stored"
        return "new" if self._failures.get(reference) is None else "failed"

    def connected(self, self_id: str) -> None:
        """Learn that a bot has connected: what failed for want of that may be had now."""
        self._connections[self_id] += 1
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
        return len(self._flights), len(self._prefetches)

    async def warm_up(self) -> None:
        """Make ready what downloads need, so that the first one does not wait for it."""
        await self._fetcher.warm_up()

    async def close(self) -> None:
        """End everything under way, and close the store."""
        self._closed = True
        self._prefetches.close()
        self._congestion.close()
        with anyio.move_on_after(_CLOSE_TIMEOUT, shield=True):
            await self._flights.close()
            await self._fetcher.close()
            await self.store.close()

    # One image

    def _room(self, reference: ImageReference, shares: Owners, ahead: int) -> str:
        """Why no flight can be started for a reference, in a word; empty where one can."""
        if self._held + reference.held > self._config.max_bytes_in_flight:
            return "memory"
        free = _MAX_FLIGHTS - len(self._flights) - ahead
        return "" if free > 0 and self._flying.seat_allowed(shares, free) else "flights"

    def _start(self, reference: ImageReference) -> None:
        """Start a flight that nobody waits for."""
        if self._flights.full:  # as it is at the end
            return
        key = free_key(reference, self._flights)
        if key:
            # another reference that claims the same may be under way; if it fails, this one may not
            other = self._under_way.get(reference.key)
            is_first = key == reference.key or other is None or _rank(reference) > _rank(other)
            after = "" if is_first else reference.key
            self._flights.start(key, self._flight(key, reference, after=after))

    async def _join(self, key: str, reference: ImageReference) -> Arrival:
        known = self.store.known(reference, lately=True)
        if known is not None:
            self.store.count("resolved", "store")
            return Arrival(reference, known, "store")
        failure = _closed(reference) if self._closed else self._failures.get(reference)
        if failure is None and key not in self._flights and self._flights.full:
            failure = too_busy(
                reference, Text("{count} images are ahead of it", count=_MAX_FLIGHTS)
            )
        if failure is not None:
            # it may have come another way since: implementations often tell of what this bot sends
            # before the call that sent it returns
            known = None if self._closed else await self._known(reference)
            if known is None:
                raise failure.again()
            self._failures.forget(reference)
            return Arrival(reference, known, "store")
        self._asked.add(key)
        self._fetching.hurry(key)
        try:
            return await self._flights.join(key, self._flight(key, reference))
        except ImageUnavailable as error:
            raise error.again() from None  # each waiter has a traceback of its own

    def _flight(
        self, key: str, reference: ImageReference, *, anew: bool = False, after: str = ""
    ) -> Work[Arrival]:
        def take_off(deliver: Deliver) -> Coroutine[None, None, None]:
            # before the task runs, for more may be started until then
            self._held += reference.held
            shares = shares_of(reference)
            self._under_way[key] = reference
            self._flying.change(shares, seats=1, size=0)
            return self._fly(key, reference, deliver, shares, anew=anew, after=after)

        return take_off

    async def _fly(
        self,
        key: str,
        reference: ImageReference,
        deliver: Deliver,
        shares: Owners,
        *,
        anew: bool,
        after: str,
    ) -> None:
        """Everything that is done about one image, in a task of its own."""
        busy, connections = False, self._connections[reference.self_id]
        begun = time.monotonic()
        try:
            if after:
                asked = self._behind[key] = asyncio.get_running_loop().create_future()
                await self._flights.ended(after, unless=asked)
            delivering = partial(self._deliver, deliver, begun)
            known = None if anew else await self._known(reference, here=True)
            brought = None if anew or known else await self.store.shared_images.bring(reference)
            if known is not None:
                delivering(Arrival(reference, known, "store"))
            elif brought is not None:
                await self._fetching.bring(reference, brought, delivering)
            elif self.store.anything_forgotten and await self._is_forgotten(reference):
                attempt = Attempt("store", Cause.FORGOTTEN, Text("forgotten on request"), 0.0)
                raise unavailable(str(reference), (attempt,))
            else:
                if anew:
                    await self._fetch(reference, delivering)
                    return
                async with self.store.shared_images.turn(
                    reference, begun
                ) as come:  # from another host
                    if come is not None:
                        await self._fetching.bring(reference, come, delivering)
                    else:
                        await self._fetch(reference, delivering)
        except ImageUnavailable as error:
            self.store.count("failed", error.cause)
            busy = error.cause is Cause.BUSY
            reconnected = connections != self._connections[reference.self_id]
            if not busy:  # which it is not for long, and which is told of all together
                if not (reconnected and of_connection(error)):
                    self._failures.add(reference, error)
                logger.warning(f"qqimage: {error}")
            raise
        except Exception as error:
            logger.exception(
                say("qqimage: {image}: unexpected error, please report it", image=str(reference))
            )
            failure = AttemptFailed(Cause.FAILED, repr(error))
            attempt = Attempt("resolver", failure.cause, failure.detail, 0.0)
            raise unavailable(str(reference), (attempt,)) from error
        finally:
            self._held -= reference.held
            self._under_way.pop(key, None)
            self._behind.pop(key, None)
            self._flying.change(shares, seats=-1, size=0)
            self._asked -= {reference.key, reference.own_key}
            # the flight itself is there until this has ended
            asyncio.get_running_loop().call_soon(self._ended, reference.key, busy)

    async def _fetch(self, reference: ImageReference, deliver: Deliver) -> None:
        urgent = not self._asked.isdisjoint((reference.key, reference.own_key))
        await self._fetching.fetch(reference, deliver, urgent=urgent)

    def _ended(self, key: str, busy: bool) -> None:
        self._prefetches.ended(key, busy=busy)

    def _deliver(self, deliver: Deliver, begun: float, arrival: Arrival) -> None:
        self.store.count("resolved", arrival.source)
        if arrival.source != "store":
            self.watch(time.monotonic() - begun, arrival.info.size)
        self.store.is_image(arrival.reference, arrival.info)
        deliver(arrival)

    async def _known(self, reference: ImageReference, *, here: bool = False) -> ImageInfo | None:
        try:
            return await self.store.find(reference, here)
        except StoreError as error:
            self.store_trouble.log(error)
            return None

    async def _is_forgotten(self, reference: ImageReference) -> bool:
        try:
            return await self.store.forgetting.is_forgotten(reference)
        except StoreError as error:
            self.store_trouble.log(error)
            return False


def _closed(reference: ImageReference) -> ImageUnavailable:
    detail = Text("it is closed, because the bot ends")
    return unavailable(str(reference), (Attempt("resolver", Cause.FAILED, detail, 0.0),))


def _rank(reference: ImageReference) -> tuple[bool, bool]:
    """How good the ways to an image are that a reference gives: the greater, the better.

    One that holds the image is the best. Of what stands in a forwarded record some implementations
    know nothing, and never answer.
    """
    return bool(reference.content), not reference.forwarded
