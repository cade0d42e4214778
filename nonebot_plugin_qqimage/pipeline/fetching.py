"""Fetching: one image from its sources, within its share of memory; then it is kept."""

from collections.abc import Callable
from dataclasses import replace

from ..config import ScopedConfig
from ..errors import Attempt, Cause, ImageUnavailable, StoreError, unavailable
from ..fetch.dead_links import DeadLinks
from ..fetch.fetcher import Fetched, Fetcher
from ..fetch.reservation import memory_for
from ..implementation.implementations import Implementations
from ..language import Text
from ..messages.reference import ImageReference
from ..messages.said_paths import path_digest
from ..store.finding.shared_images import Brought
from ..store.image_store import ImageStore
from .arrival import Arrival
from .fairness.budget import ByteBudget, NoTurn, Reservation
from .fairness.shares import shares_of
from .keeping import Keeping
from .store_trouble import StoreTrouble

_MAX_WAIT = 600.0
"""Seconds an image may wait for its turn."""
_MAX_SIGHTINGS_ASKED = 3
"""Messages asked for an image that is known by its digest alone."""
_UNKNOWN = 1 << 62
"""Bytes to prepare for while nobody has said how many there are."""
_UNKNOWN_PART = 16
"""At most this part of all bytes, until more come."""
_EVICTED = Text("not stored any more: it was evicted since it was last seen here")
_UNKNOWN_URI = Text("never stored here, or so long ago that nothing of it is known any more")
Deliver = Callable[[Arrival], None]
"""Told of an image as soon as its bytes are known to be right."""


class Fetching:
    """Fetches images, each in its turn.

    Args:
        config: the settings.
        store: where images are kept.
        fetcher: gets an image that is not there.
        implementations: whom it may ask.
        trouble: told when the store cannot be used.
    """

    def __init__(
        self,
        config: ScopedConfig,
        store: ImageStore,
        fetcher: Fetcher,
        implementations: Implementations,
        trouble: StoreTrouble,
    ) -> None:
        self.dead_links = DeadLinks()
        """Which links are known to be dead."""
        self.max_wait = _MAX_WAIT
        """Seconds after which waiting for a turn is told of."""
        self._config = config
        self._store = store
        self._fetcher = fetcher
        self._implementations = implementations
        self._trouble = trouble
        self._keeping = Keeping(store, implementations, trouble)
        self._budget = ByteBudget(
            config.max_bytes_in_flight, holders=config.concurrency, max_wait=self.max_wait
        )
        self._turns: dict[str, Reservation] = {}

    async def fetch(
        self,
        reference: ImageReference,
        deliver: Deliver,
        *,
        urgent: bool,
        turn: Reservation | None = None,
    ) -> None:
        """Fetch an image, deliver it, and keep it.

        Args:
            reference: the image.
            deliver: told of it.
            urgent: whether somebody waits for it.
            turn: of `turn`, where it is held already.

        Raises:
            ImageUnavailable: no source has it, or its turn did not come in time.
        """
        if (arrival := self._keeping.under_way(reference.sha256)) is not None:
            deliver(arrival)
            await arrival.settled()
        elif reference.bare:
            await self._where_seen(reference, deliver, urgent=urgent)
        else:
            turn = turn or self.turn(reference, urgent=urgent)
            await self._fetch(await self._without_said_path(reference), deliver, turn)

    async def keep(self, arrival: Arrival, fetched: Fetched) -> None:
        """Keep an image that was fetched elsewhere."""
        await self._keeping.keep(arrival, fetched)

    async def bring(self, reference: ImageReference, brought: Brought, deliver: Deliver) -> None:
        """Deliver an image that another host has fetched, and keep it."""
        arrival = Arrival(reference, brought.info, "store", brought.data)
        deliver(arrival)
        await self._keeping.settle(arrival, brought.keep)

    def hurry(self, key: str) -> None:
        """Let the image that is fetched under a key have its turn soon: somebody asks for it."""
        if (turn := self._turns.get(key)) is not None:
            turn.hurry()

    def turn(self, reference: ImageReference, *, urgent: bool) -> Reservation:
        """The memory that an image is fetched within, once its turn has come.

        Args:
            reference: the image.
            urgent: whether somebody waits for it.
        """
        expected = reference.expected_size
        size = min(expected or reference.held or _UNKNOWN, self._config.max_image_size)
        shares = shares_of(reference)
        if shares and not (expected or reference.held):
            size = min(size, self._config.max_bytes_in_flight // _UNKNOWN_PART)
        return self._budget.reserve(
            memory_for(size) if expected else size, shares=shares, urgent=urgent
        )

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
            async with self.turn(reference, urgent=True) as reservation:
                return await self._ask(reference, reservation)
        except NoTurn:
            raise _waited(reference) from None

    async def _fetch(self, reference: ImageReference, deliver: Deliver, turn: Reservation) -> None:
        self._turns[reference.key] = turn
        try:
            async with turn:
                fetched, attempts = await self._ask(reference, turn)
                if fetched is None:
                    kept_until = reference.link.kept_until if reference.link else 0.0
                    raise unavailable(str(reference), attempts, kept_until)
                arrival = Arrival(reference, fetched.info, fetched.source, fetched.data)
                deliver(arrival)
                # still in turn: until they are stored, the bytes are in memory
                await self._keeping.keep(arrival, fetched)
        except NoTurn:
            raise _waited(reference) from None
        finally:
            self._turns.pop(reference.key, None)

    async def _where_seen(
        self, reference: ImageReference, deliver: Deliver, *, urgent: bool
    ) -> None:
        """Fetch an image of which nothing is left but where it was seen."""
        kept_until = 0.0
        try:
            found = await self._store.sightings(sha256=reference.sha256, limit=_MAX_SIGHTINGS_ASKED)
        except StoreError as error:
            self._trouble.log(error)
            found = []
        why = _EVICTED if found else _UNKNOWN_URI
        attempts = [Attempt("store", Cause.NOT_FOUND, why, 0.0)]
        for sighting in found:
            seen = replace(sighting.reference, sha256=reference.sha256)
            try:
                return await self._fetch(seen, deliver, self.turn(seen, urgent=urgent))
            except ImageUnavailable as error:
                attempts += error.attempts
                kept_until = kept_until or error.kept_until
        raise unavailable(str(reference), tuple(attempts), kept_until)

    async def _without_said_path(self, reference: ImageReference) -> ImageReference:
        """The reference without the path of a file that some received message has said."""
        if not reference.content.startswith("file:"):
            return reference
        try:
            said = await self._store.notes.was_said(path_digest(reference.content[:]))
        except StoreError as error:
            self._trouble.log(error)
            said = True  # better no picture than a stranger's choice of files
        return replace(reference, content="") if said else reference

    async def _ask(
        self, reference: ImageReference, reservation: Reservation
    ) -> tuple[Fetched | None, tuple[Attempt, ...]]:
        fetched, attempts = await self._fetcher.fetch(
            reference,
            lambda: self._implementations.find(reference.self_id),
            reservation,
            self._store.binding,
        )
        if ("url of the segment", Cause.EXPIRED) in [(a.source, a.cause) for a in attempts]:
            self.dead_links.refused(reference.url)
        return fetched, attempts


def too_busy(reference: ImageReference, detail: Text) -> ImageUnavailable:
    """That there is no room for an image, because of others.

    Args:
        reference: the image.
        detail: what is ahead of it.
    """
    return unavailable(str(reference), (Attempt("resolver", Cause.BUSY, detail, 0.0),))


def _waited(reference: ImageReference) -> ImageUnavailable:
    return too_busy(reference, Text("others were ahead of it for {seconds:g} s", seconds=_MAX_WAIT))
