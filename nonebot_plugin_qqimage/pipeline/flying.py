"""Flying: everything that is done about one image, in a task of its own, for all who want it."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial

from ..content.info import ImageInfo
from ..errors import Attempt, AttemptFailed, Cause, ImageUnavailable, StoreError, unavailable
from ..language import Text, say
from ..log import logger
from ..messages.reference import ImageReference
from ..store.image_store import ImageStore
from .arrival import Arrival
from .entry import free_key
from .failures import Failures, of_connection
from .fairness.budget import Reservation
from .fairness.shares import shares_of
from .fairness.traffic import Traffic
from .fetching import Deliver, Fetching
from .single_flight.flights import Flights, Work
from .store_trouble import StoreTrouble


class Flying:
    """Looks images up in the store, and has those fetched that are not there.

    Args:
        store: where images are kept.
        fetching: fetches and keeps those that are not there.
        failures: told of those that nobody has.
        trouble: told when the store cannot be used.
        traffic: told of what is under way.
        watch: told of each image that is fetched: after how many seconds, and its bytes.
        most: how many may be under way.
    """

    def __init__(
        self,
        store: ImageStore,
        fetching: Fetching,
        failures: Failures,
        trouble: StoreTrouble,
        traffic: Traffic,
        *,
        watch: Callable[[float, int], None],
        most: int,
    ) -> None:
        self.flights: Flights[Arrival] = Flights(most)
        """What is under way, by key."""
        self.ended: Callable[[str, bool], None] = lambda key, busy: None
        """Told of each `ImageReference.key` that has been resolved, or has failed, and whether that
        was because there was no room for it."""
        self._store = store
        self._fetching = fetching
        self._failures = failures
        self._trouble = trouble
        self._traffic = traffic
        self._watch = watch
        self._under_way: dict[str, ImageReference] = {}  # which reference each key is fetched by
        self._behind: dict[str, asyncio.Future[None]] = {}  # keys that wait for another to end
        self._connections: Counter[str] = Counter()  # by bot, how many there were so far
        self._asked: set[str] = set()  # keys that somebody waits for

    def under_way(self, key: str) -> ImageReference | None:
        """The reference whose image is under way under a key."""
        return self._under_way.get(key)

    def connected(self, self_id: str) -> None:
        """Learn that a bot has connected: what fails from now on fails over the new connection."""
        self._connections[self_id] += 1

    def start(
        self, reference: ImageReference, turn: Reservation | None = None, looked_up: bool = False
    ) -> None:
        """Start a flight that nobody waits for.

        Args:
            reference: the image.
            turn: the memory to fetch it within, where that is held already.
            looked_up: whether it has just been looked for in the local store.
        """
        key = "" if self.flights.full else free_key(reference, self.flights)  # full at the end
        other = self._under_way.get(reference.key)
        # another reference that claims the same may be under way; if it fails, this one may not
        is_first = key == reference.key or other is None or rank(reference) > rank(other)
        if turn is not None and not (key and is_first):
            turn.give_up()
            turn = None
        if key:
            after = "" if is_first else reference.key
            plan = _Plan(key, reference, after=after, turn=turn, looked_up=looked_up and is_first)
            self.flights.start(key, self._work(plan))

    async def join(self, key: str, reference: ImageReference, *, anew: bool = False) -> Arrival:
        """The image that is under way under a key, by this reference if by none so far.

        Args:
            key: the key.
            reference: the image.
            anew: whether to fetch it whatever the store has.

        Raises:
            ImageUnavailable: no source has it.
        """
        if not anew:
            self._asked.add(key)
            self._fetching.hurry(key)
        try:
            return await self.flights.join(key, self._work(_Plan(key, reference, anew)))
        except ImageUnavailable as error:
            raise error.again() from None  # each waiter has a traceback of its own

    def wait_no_longer(self, key: str) -> None:
        """Let a flight begin that waits for another one to the same image."""
        waiting = self._behind.get(key)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def known(self, reference: ImageReference, *, here: bool = False) -> ImageInfo | None:
        """The stored image that a reference means; None where the store cannot be read, too.

        Args:
            reference: the reference.
            here: whether the shared store is not asked.
        """
        try:
            return await self._store.find(reference, here)
        except StoreError as error:
            self._trouble.log(error)
            return None

    async def take_stored(self, references: Sequence[ImageReference]) -> Sequence[bool] | None:
        """Take note of what is stored here already, as if each had been resolved.

        Returns:
            Whether each is stored; None where nobody can say, as when one cannot be looked for.
        """
        try:
            found = await self._store.find_here(references)
        except StoreError as error:
            self._trouble.log(error)
            return None
        except Exception:  # noqa: BLE001  an error of ours must not end prefetching
            logger.exception(say("qqimage: {where} failed, please report it", where="find_here"))
            return None
        for reference, info in zip(references, found, strict=True):
            if info is not None:
                self._arrived(Arrival(reference, info, "store"))
        return [info is not None for info in found]

    def deliver(self, deliver: Deliver, begun: float, arrival: Arrival) -> None:
        """Take note of an image that has come, and hand it over.

        Args:
            deliver: is given the image.
            begun: since when it was wanted, by `time.monotonic`.
            arrival: the image.
        """
        if arrival.source != "store":
            self._watch(time.monotonic() - begun, arrival.info.size)
        self._arrived(arrival)
        deliver(arrival)

    def _arrived(self, arrival: Arrival) -> None:
        self._store.count("resolved", arrival.source)
        self._store.is_image(arrival.reference, arrival.info)

    def _work(self, plan: "_Plan") -> Work[Arrival]:
        def take_off(deliver: Deliver) -> Coroutine[None, None, None]:
            # before the task runs, for more may be started until then
            self._traffic.begin(plan.reference, shares_of(plan.reference))
            self._under_way[plan.key] = plan.reference
            return self._fly(plan, deliver)

        return take_off

    async def _fly(self, plan: "_Plan", deliver: Deliver) -> None:
        """Get an image, and see to what comes of it."""
        reference, busy = plan.reference, False
        connections = self._connections[reference.self_id]
        try:
            await self._get(plan, partial(self.deliver, deliver, time.monotonic()))
        except ImageUnavailable as error:
            self._store.count("failed", error.cause)
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
            if plan.turn is not None:
                plan.turn.give_up()
            self._traffic.end(reference, shares_of(reference))
            self._under_way.pop(plan.key, None)
            self._behind.pop(plan.key, None)
            self._asked -= {reference.key, reference.own_key}
            # the flight itself is there until this has ended
            asyncio.get_running_loop().call_soon(self.ended, reference.key, busy)

    async def _get(self, plan: "_Plan", deliver: Deliver) -> None:
        """Deliver an image: from the store, from another host, or from its sources."""
        reference, begun = plan.reference, time.monotonic()
        if plan.anew:
            return await self._fetch(plan, deliver)
        if plan.after:
            asked = self._behind[plan.key] = asyncio.get_running_loop().create_future()
            await self.flights.ended(plan.after, unless=asked)
        known = None if plan.looked_up else await self.known(reference, here=True)
        if known is not None:
            return deliver(Arrival(reference, known, "store"))
        brought = await self._store.shared_images.bring(reference)
        if brought is not None:
            return await self._fetching.bring(reference, brought, deliver)
        if self._store.anything_forgotten and await self._is_forgotten(reference):
            attempt = Attempt("store", Cause.FORGOTTEN, Text("forgotten on request"), 0.0)
            raise unavailable(str(reference), (attempt,))
        async with self._store.shared_images.turn(reference, begun) as come:  # from another host
            if come is None:
                return await self._fetch(plan, deliver)
            return await self._fetching.bring(reference, come, deliver)

    async def _fetch(self, plan: "_Plan", deliver: Deliver) -> None:
        reference = plan.reference
        asked = not self._asked.isdisjoint((reference.key, reference.own_key))
        urgent = plan.anew or asked
        await self._fetching.fetch(reference, deliver, urgent=urgent, turn=plan.turn)

    async def _is_forgotten(self, reference: ImageReference) -> bool:
        try:
            return await self._store.forgetting.is_forgotten(reference)
        except StoreError as error:
            self._trouble.log(error)
            return False


@dataclass(frozen=True)
class _Plan:
    """How one image is got."""

    key: str
    """What it is under way under."""
    reference: ImageReference
    anew: bool = False
    """Whether it is fetched whatever the store has."""
    after: str = ""
    """The key of another flight that may bring it, which ends first."""
    turn: Reservation | None = None
    """The memory to fetch it within, where that is held already."""
    looked_up: bool = False
    """Whether it has just been looked for in the local store."""


def rank(reference: ImageReference) -> tuple[bool, bool]:
    """How good the ways to an image are that a reference gives: the greater, the better.

    One that holds the image is the best. Of what stands in a forwarded record some implementations
    know nothing, and never answer.
    """
    return bool(reference.content), not reference.forwarded
