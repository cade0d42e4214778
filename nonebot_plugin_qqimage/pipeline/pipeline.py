"""From a reference to verified bytes: the store first, then one fetch for all who want them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace

import anyio

from ..config import ScopedConfig
from ..content.info import ImageInfo
from ..errors import Attempt, AttemptFailed, Cause, ImageUnavailable, StoreError, unavailable
from ..fetch.dead_links import DeadLinks
from ..fetch.fetcher import Fetched, Fetcher
from ..fetch.reservation import memory_for
from ..implementation.implementations import Implementations
from ..language import Text, say
from ..log import logger
from ..messages.claims import confirmed
from ..messages.reference import ImageReference
from ..messages.said_paths import path_digest
from ..store.image_store import ImageStore
from ..store.local.digests import Agreement
from .arrival import Arrival, State, StoredImage
from .budget import ByteBudget, NoTurn, Reservation
from .congestion import Congestion
from .failures import Failures, of_connection
from .flights import Flights, Work
from .prefetch_queue import PrefetchQueue, free_key
from .racing import first_good
from .shares import Shares
from .store_trouble import StoreTrouble

_MAX_FLIGHTS = 4096
"""Images that may wait for their turn."""
_MAX_WAIT = 600.0
"""Seconds an image may wait for its turn."""
_KEEP_TIMEOUT = 60.0
"""Seconds for writing one image; a dead network mount would take for ever."""
_HEAD_START = 0.001
"""Seconds for whoever waits for the bytes, before threads that write them compete for the GIL."""
_CLOSE_TIMEOUT = 5.0
"""Seconds for ending what is under way when the bot ends."""
_PATIENCE = 1.0
"""Seconds that whoever asks for an image waits for a fetch by another reference to it."""
_MAX_SIGHTINGS_ASKED = 3
"""Messages asked for an image that is known by its digest alone."""
_UNKNOWN = 1 << 62
"""Bytes to prepare for while nobody has said how many there are."""
_EVICTED = Text("not stored any more: it was evicted since it was last seen here")
_UNKNOWN_URI = Text("never stored here, or so long ago that nothing of it is known any more")
_UNKNOWN_PART = 16
"""At most this part of all bytes, until more come."""
_Deliver = Callable[[Arrival], None]


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
        self.dead_links = DeadLinks()
        """Which links are known to be dead."""
        self.store_trouble = StoreTrouble()
        """Logs trouble with the store."""
        self._config = config
        self._fetcher = fetcher
        self._implementations = implementations
        self._flights: Flights[Arrival] = Flights(_MAX_FLIGHTS)
        self._budget = ByteBudget(
            config.max_bytes_in_flight, holders=config.concurrency, max_wait=_MAX_WAIT
        )
        self._closed = False
        self._held = 0  # bytes that the references of all flights hold themselves
        self._failures = Failures()
        self._under_way: dict[str, ImageReference] = {}  # which reference each key is fetched by
        self._behind: dict[str, asyncio.Future[None]] = {}  # keys that wait for another to end
        self._connections: Counter[str] = Counter()  # by bot, how many there were so far
        self._flying = Shares()
        self._asked: set[str] = set()  # keys that somebody waits for
        self._turns: dict[str, Reservation] = {}
        self._congestion = Congestion(store.count)
        self._prefetches = PrefetchQueue(
            self._start,
            self._room,
            self._congestion,
            max_held=config.max_bytes_in_flight,
            spare=max(1, _MAX_FLIGHTS // 4),
        )

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
        try:
            async with self._turn(reference) as reservation:
                return await self._ask(reference, reservation)
        except NoTurn:
            raise _too_busy(reference) from None

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
            self._prefetches.add(reference, _shares(reference))

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

    def forget_failures(self) -> None:
        """Try again what failed a moment ago, when it is next asked for."""
        self._failures.clear()

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

    def _room(self, reference: ImageReference, shares: tuple[str, ...], ahead: int) -> str:
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
            failure = _too_busy(reference)
        if failure is not None:
            # it may have come another way since: implementations often tell of what this bot sends
            # before the call that sent it returns
            known = None if self._closed else await self._known(reference)
            if known is None:
                raise failure.again()
            self._failures.forget(reference)
            return Arrival(reference, known, "store")
        self._asked.add(key)
        if (turn := self._turns.get(key)) is not None:
            turn.hurry()
        try:
            return await self._flights.join(key, self._flight(key, reference))
        except ImageUnavailable as error:
            raise error.again() from None  # each waiter has a traceback of its own

    def _flight(
        self, key: str, reference: ImageReference, *, anew: bool = False, after: str = ""
    ) -> Work[Arrival]:
        def take_off(deliver: _Deliver) -> Coroutine[None, None, None]:
            # before the task runs, for more may be started until then
            self._held += reference.held
            shares = _shares(reference)
            self._under_way[key] = reference
            self._flying.change(shares, seats=1, size=0)
            return self._fly(key, reference, deliver, shares, anew=anew, after=after)

        return take_off

    async def _fly(
        self,
        key: str,
        reference: ImageReference,
        deliver: _Deliver,
        shares: tuple[str, ...],
        *,
        anew: bool,
        after: str,
    ) -> None:
        """Everything that is done about one image, in a task of its own."""
        busy, connections = False, self._connections[reference.self_id]
        try:
            if after:
                asked = self._behind[key] = asyncio.get_running_loop().create_future()
                await self._flights.ended(after, unless=asked)
            known = None if anew else await self._known(reference)
            if known is not None:
                self._deliver(Arrival(reference, known, "store"), deliver)
            elif self.store.anything_forgotten and await self._is_forgotten(reference):
                attempt = Attempt("store", Cause.FORGOTTEN, Text("forgotten on request"), 0.0)
                raise unavailable(str(reference), (attempt,))
            elif reference.bare:
                await self._fetch_where_seen(reference, deliver)
            else:
                await self._fetch(await self._without_said_path(reference), deliver)
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

    def _ended(self, key: str, busy: bool) -> None:
        self._prefetches.ended(key, busy=busy)

    async def _known(self, reference: ImageReference) -> ImageInfo | None:
        try:
            return await self.store.find(reference)
        except StoreError as error:
            self.store_trouble.log(error)
            return None

    async def _is_forgotten(self, reference: ImageReference) -> bool:
        try:
            return await self.store.is_forgotten(reference)
        except StoreError as error:
            self.store_trouble.log(error)
            return False

    async def _without_said_path(self, reference: ImageReference) -> ImageReference:
        """The reference without the path of a file that some received message has said."""
        if not reference.content.startswith("file:"):
            return reference
        try:
            said = await self.store.was_said(path_digest(reference.content))
        except StoreError as error:
            self.store_trouble.log(error)
            said = True  # better no picture than a stranger's choice of files
        return replace(reference, content="") if said else reference

    async def _fetch_where_seen(self, reference: ImageReference, deliver: _Deliver) -> None:
        """Fetch an image of which nothing is left but where it was seen."""
        kept_until = 0.0
        try:
            found = await self.store.sightings(sha256=reference.sha256, limit=_MAX_SIGHTINGS_ASKED)
        except StoreError as error:
            self.store_trouble.log(error)
            found = []
        why = _EVICTED if found else _UNKNOWN_URI
        attempts = [Attempt("store", Cause.NOT_FOUND, why, 0.0)]
        for sighting in found:
            seen = replace(sighting.reference, sha256=reference.sha256)
            try:
                return await self._fetch(seen, deliver)
            except ImageUnavailable as error:
                attempts += error.attempts
                kept_until = kept_until or error.kept_until
        raise unavailable(str(reference), tuple(attempts), kept_until)

    async def _fetch(self, reference: ImageReference, deliver: _Deliver) -> None:
        """Fetch an image, deliver it, and keep it."""
        try:
            turn = self._turns[reference.key] = self._turn(reference)
            async with turn as reservation:
                fetched, attempts = await self._ask(reference, reservation)
                if fetched is None:
                    kept_until = reference.link.kept_until if reference.link else 0.0
                    raise unavailable(str(reference), attempts, kept_until)
                arrival = Arrival(reference, fetched.info, fetched.source, fetched.data)
                self._deliver(arrival, deliver)
                # still in turn: until they are stored, the bytes are in memory
                await self._keep(arrival, fetched)
                await self._forget_again(arrival)
        except NoTurn:
            raise _too_busy(reference) from None
        finally:
            self._turns.pop(reference.key, None)

    def _deliver(self, arrival: Arrival, deliver: _Deliver) -> None:
        self.store.count("resolved", arrival.source)
        self.store.is_image(arrival.reference, arrival.info)
        deliver(arrival)

    async def _ask(
        self, reference: ImageReference, reservation: Reservation
    ) -> tuple[Fetched | None, tuple[Attempt, ...]]:
        fetched, attempts = await self._fetcher.fetch(
            reference,
            lambda: self._implementations.find(reference.self_id),
            reservation,
            self.store.binding,
        )
        if ("url of the segment", Cause.EXPIRED) in [(a.source, a.cause) for a in attempts]:
            self.dead_links.refused(reference.url)
        return fetched, attempts

    def _turn(self, reference: ImageReference) -> Reservation:
        expected = reference.expected_size
        size = min(expected or reference.held or _UNKNOWN, self._config.max_image_size)
        shares = _shares(reference)
        if shares and not (expected or reference.held):
            size = min(size, self._config.max_bytes_in_flight // _UNKNOWN_PART)
        return self._budget.reserve(
            memory_for(size) if expected else size,
            shares=shares,
            urgent=not self._asked.isdisjoint((reference.key, reference.own_key)),
        )

    async def _keep(self, arrival: Arrival, fetched: Fetched) -> None:
        reference, kept = arrival.reference, False
        agreement = None
        if fetched.link_agrees is not None and reference.link is not None:
            name = ""
            implementation = self._implementations.find(reference.self_id)
            if implementation is not None:
                await implementation.identify()  # once for each connection, and not for long
                name = implementation.profile.name
            agreement = Agreement(reference.link.name, name, fetched.link_agrees)
        try:
            await asyncio.sleep(_HEAD_START)
            with anyio.fail_after(_KEEP_TIMEOUT):
                await self.store.put(
                    reference,
                    fetched.info,
                    fetched.data,
                    fetched.source,
                    agreement,
                    fetched.by_link,
                )
            kept = True
        except TimeoutError:
            text = Text(
                "{folder} takes more than {seconds:g} s to write an image",
                folder=str(self.store.folder),
                seconds=_KEEP_TIMEOUT,
            )
            self.store_trouble.log(StoreError(text))
        except StoreError as error:
            # who waits gets the image all the same; it just cannot be kept
            self.store_trouble.log(error)
        finally:
            arrival.settle(kept=kept)
            # once more, for what was seen since it was delivered, and could not be known yet
            self.store.is_image(arrival.reference, arrival.info)

    async def _forget_again(self, arrival: Arrival) -> None:
        """Remove an image that was forgotten, by whatever process, while it was fetched."""
        if await self._is_forgotten(arrival.reference):
            try:
                await self.store.forget_image(arrival.info.sha256)
            except StoreError as error:
                self.store_trouble.log(error)


def _closed(reference: ImageReference) -> ImageUnavailable:
    detail = Text("it is closed, because the bot ends")
    return unavailable(str(reference), (Attempt("resolver", Cause.FAILED, detail, 0.0),))


def _shares(reference: ImageReference) -> tuple[str, ...]:
    """The bot and the chat whose share a reference's image is fetched from."""
    bot, chat = reference.self_id, reference.chat
    return (bot, f"{bot}/{chat}") if bot and chat else (bot,) if bot else ()


def _rank(reference: ImageReference) -> tuple[bool, bool]:
    """How good the ways to an image are that a reference gives: the greater, the better.

    One that holds the image is the best. Of what stands in a forwarded record some implementations
    know nothing, and never answer.
    """
    return bool(reference.content), not reference.forwarded


def _too_busy(reference: ImageReference) -> ImageUnavailable:
    detail = Text(
        "{count} images or {seconds:g} s of waiting are ahead of it",
        count=_MAX_FLIGHTS,
        seconds=_MAX_WAIT,
    )
    return unavailable(str(reference), (Attempt("resolver", Cause.BUSY, detail, 0.0),))
