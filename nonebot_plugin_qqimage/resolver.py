"""`ImageResolver`: from a reference to verified bytes; store first, one flight per image."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakKeyDictionary

import anyio
from nonebot.adapters import Bot as BaseBot
from nonebot.adapters import Event as BaseEvent
from nonebot.adapters.onebot.v11 import Bot, MessageEvent, MessageSegment
from nonebot.log import logger

from .budget import ByteBudget, Reservation
from .config import ScopedConfig
from .content import ImageInfo
from .errors import Attempt, Cause, ImageNotFound, ImageUnavailable, StoreError, unavailable
from .flights import Flights
from .image import Image, State, StoredImage
from .peer import Peer
from .reference import ImageReference, find_in_event, from_segment, from_uri
from .sources import Fetch, Fetched, Sources
from .store import ImageStore

_MAX_FLIGHTS = 4096
"""Images that may wait for their turn."""
_MAX_WAIT = 600.0
"""Seconds an image may wait for its turn."""
_MEMORY = 30.0
"""Seconds an outcome is remembered: ten plugins that ask in turn cause one round of attempts."""
_MAX_REMEMBERED = 1024
Outcome = StoredImage | ImageUnavailable
"""What can come of resolving a reference."""
_QUIET = 600.0
"""Seconds until the same trouble with the store is logged again."""
_CLOSE_TIMEOUT = 5.0


class ImageResolver:
    """Gets images, and keeps them.

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
        self._peers: WeakKeyDictionary[Bot, Peer] = WeakKeyDictionary()
        self._flights: Flights[StoredImage] = Flights(_MAX_FLIGHTS)
        self._slots = asyncio.Semaphore(config.concurrency)
        self._budget = ByteBudget(config.max_bytes_in_flight)
        self._recent: OrderedDict[ImageReference, tuple[float, Outcome]] = OrderedDict()
        self._store_trouble: dict[str, float] = {}

    @property
    def store(self) -> ImageStore:
        """Where images are kept."""
        return self._store

    def images(self, event: BaseEvent) -> list[Image]:
        """The images of an event's message, then those of the message it quotes.

        Args:
            event: any event; one without a OneBot v11 message has none.
        """
        return self.message_images(event) + self.quoted_images(event)

    def message_images(self, event: BaseEvent) -> list[Image]:
        """The images of an event's message itself."""
        return self._handles(event, 0)

    def quoted_images(self, event: BaseEvent) -> list[Image]:
        """The images of the message that an event's message quotes."""
        return self._handles(event, 1)

    def image(self, target: MessageSegment | ImageReference | str) -> Image:
        """A handle on one image.

        Args:
            target: an image segment, a reference, or a ``qqimage:<sha256>`` URI.

        Raises:
            ValueError: the segment is no image, or the text no such URI.
        """
        if isinstance(target, ImageReference):
            return Image(target, self)
        if isinstance(target, str):
            return Image(from_uri(target), self)
        reference = from_segment(target)
        if reference is None:
            raise ValueError(f"not an image segment: {target.type}")
        return Image(reference, self)

    def prefetch_event(self, event: MessageEvent) -> None:
        """Resolve the images of an event in the background, if the settings say so."""
        if self._config.prefetch:
            for references in find_in_event(event):
                for reference in references:
                    self.prefetch(reference)

    def prefetch(self, reference: ImageReference) -> None:
        """Resolve in the background. Nobody is told of a failure but the log."""
        if self._outcome(reference) is None and not self._flights.full:
            self._flights.start(reference.key, lambda: self._fly(reference))

    def state(self, reference: ImageReference) -> State:
        """Where an image stands, as far as this process knows without looking."""
        if reference.key in self._flights or reference.own_key in self._flights:
            return "resolving"
        outcome = self._outcome(reference)
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
            self._recent.pop(stored.reference, None)
        return data

    async def close(self) -> None:
        """End everything under way, and close the store."""
        with anyio.move_on_after(_CLOSE_TIMEOUT, shield=True):
            await self._flights.close()
            await self._sources.close()
            await self._store.close()

    def _handles(self, event: BaseEvent, part: int) -> list[Image]:
        if not isinstance(event, MessageEvent):
            return []
        return [Image(reference, self) for reference in find_in_event(event)[part]]

    async def _join(self, key: str, reference: ImageReference) -> StoredImage:
        outcome = self._outcome(reference)
        if isinstance(outcome, StoredImage):
            return outcome
        if outcome is None and key not in self._flights and self._flights.full:
            outcome = _too_busy(reference)
        if outcome is not None:
            raise outcome.again()
        try:
            return await self._flights.join(key, lambda: self._fly(reference))
        except ImageUnavailable as error:
            raise error.again() from None

    async def _fly(self, reference: ImageReference) -> StoredImage:
        """Everything that is done about one image, in a task of its own."""
        try:
            known = await self._known(reference)
            if known is not None:
                stored = StoredImage(reference, known, "store", self._store.path(known))
            else:
                stored = await self._keep(reference, await self._fetch(reference))
            if stored.data is None:
                self._remember(reference, stored)
            return stored
        except ImageUnavailable as error:
            self._remember(reference, error.again())
            logger.warning(f"qqimage: {error}")
            raise
        except Exception as error:
            logger.exception(f"qqimage: {reference}: unexpected error, please report it")
            attempt = Attempt("resolver", Cause.FAILED, repr(error), 0.0)
            raise unavailable(str(reference), (attempt,)) from error

    async def _known(self, reference: ImageReference) -> ImageInfo | None:
        try:
            known = await self._store.find(reference)
        except StoreError as error:
            self._complain(error)
            return None
        if known is None and reference.sha256:
            attempt = Attempt("store", Cause.NOT_FOUND, "not stored (any more)", 0.0)
            raise ImageNotFound(str(reference), (attempt,))
        return known

    async def _fetch(self, reference: ImageReference) -> Fetched:
        async with self._turn(reference) as reservation:
            fetch = Fetch(reference, self._peer(reference.self_id), reservation)
            fetched, attempts = await self._sources.fetch(fetch)
        if fetched is None:
            raise unavailable(str(reference), attempts)
        return fetched

    @asynccontextmanager
    async def _turn(self, reference: ImageReference) -> AsyncGenerator[Reservation, None]:
        """Wait for a slot, and for as much memory as the image may need."""
        async with AsyncExitStack() as stack:
            try:
                with anyio.fail_after(_MAX_WAIT):
                    await stack.enter_async_context(self._slots)
                    size = min(reference.size or _HUGE, self._config.max_image_size)
                    reservation = await stack.enter_async_context(self._budget.reserve(size))
            except TimeoutError:
                raise _too_busy(reference) from None
            yield reservation

    async def _keep(self, reference: ImageReference, fetched: Fetched) -> StoredImage:
        path = self._store.path(fetched.info)
        try:
            await self._store.put(reference, fetched.info, fetched.data, fetched.source)
        except StoreError as error:
            # who waits gets the image all the same; it just cannot be kept
            self._complain(error)
            return StoredImage(reference, fetched.info, fetched.source, path, fetched.data)
        return StoredImage(reference, fetched.info, fetched.source, path)

    def _peer(self, self_id: str) -> Peer | None:
        bot = self._bots().get(self_id)
        if not isinstance(bot, Bot):
            return None
        peer = self._peers.get(bot)
        if peer is None:
            peer = self._peers[bot] = Peer(bot)
        return peer

    def _outcome(self, reference: ImageReference) -> Outcome | None:
        """What has come of this very reference a moment ago."""
        when, outcome = self._recent.get(reference, (0.0, None))
        return outcome if time.monotonic() - when < _MEMORY else None

    def _remember(self, reference: ImageReference, outcome: Outcome) -> None:
        self._recent[reference] = time.monotonic(), outcome
        self._recent.move_to_end(reference)
        if len(self._recent) > _MAX_REMEMBERED:
            self._recent.popitem(last=False)

    def _complain(self, error: StoreError) -> None:
        """Log trouble with the store once per cause, not once per image."""
        now = time.monotonic()
        if now - self._store_trouble.get(str(error), -_QUIET) >= _QUIET:
            self._store_trouble[str(error)] = now
            logger.error(f"qqimage: {error}; images are still fetched, but not kept")


_HUGE = 1 << 62


def _too_busy(reference: ImageReference) -> ImageUnavailable:
    detail = f"{_MAX_FLIGHTS} images or {_MAX_WAIT:g} s of waiting are ahead of it"
    return unavailable(str(reference), (Attempt("resolver", Cause.TIMEOUT, detail, 0.0),))
