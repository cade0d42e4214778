"""`ImageResolver`: from a reference to verified bytes; store first, one flight per image."""

import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

import anyio
from nonebot.adapters import Bot as BaseBot
from nonebot.adapters import Event as BaseEvent
from nonebot.adapters.onebot.v11 import Bot, MessageEvent, MessageSegment
from nonebot.log import logger

from .config import ScopedConfig
from .content import ImageInfo
from .errors import (
    Attempt,
    Cause,
    ImageNotFound,
    ImageUnavailable,
    StoreError,
    mask_keys,
    unavailable,
)
from .finding import find_in_event, find_in_own_event, find_sent
from .flights import Flights
from .forwards import find_forwarded
from .image import Image, State, StoredImage
from .peer import Peer, Peers
from .recent import Recent
from .reference import ImageReference, from_segment, from_uri
from .sources import Fetch, Fetched, Sources
from .store import ImageStore
from .turns import Turns

_MAX_FLIGHTS = 4096
"""Images that may wait for their turn."""
_MAX_WAIT = 600.0
"""Seconds an image may wait for its turn."""
_QUIET = 600.0
"""Seconds until the same trouble with the store is logged again."""
_CLOSE_TIMEOUT = 5.0
_UNKNOWN = 1 << 62
"""Bytes to prepare for while nobody has said how many there are."""


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
        self._peers = Peers(config.frame_limit or None)
        self._flights: Flights[StoredImage] = Flights(_MAX_FLIGHTS)
        self._turns = Turns(config.concurrency, config.max_bytes_in_flight, _MAX_WAIT)
        self._held = 0
        self._recent = Recent()
        self._store_trouble: dict[str, float] = {}

    @property
    def store(self) -> ImageStore:
        """Where images are kept."""
        return self._store

    async def images(self, event: BaseEvent, *, forwarded: bool = False) -> list[Image]:
        """The images of an event's message, then those of the message it quotes.

        Args:
            event: any event; one without a OneBot v11 message, or an uploaded file, has none.
            forwarded: also those in forwarded records, after the others. The peer is asked for
                the records; one that nobody knows any more is logged and left out.
        """
        own, quoted = find_in_event(event)
        found = own + quoted + (await self._find_forwarded(event) if forwarded else [])
        return [Image(reference, self) for reference in found]

    def message_images(self, event: BaseEvent) -> list[Image]:
        """The images of an event's message itself."""
        return [Image(reference, self) for reference in find_in_event(event)[0]]

    def quoted_images(self, event: BaseEvent) -> list[Image]:
        """The images of the message that an event's message quotes."""
        return [Image(reference, self) for reference in find_in_event(event)[1]]

    async def forwarded_images(self, event: BaseEvent) -> list[Image]:
        """The images in the records that an event's message, or the one it quotes, forwards."""
        return [Image(reference, self) for reference in await self._find_forwarded(event)]

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

    def prefetch_event(self, event: BaseEvent) -> None:
        """Resolve the images of an event in the background, as far as the settings say so."""
        if self._config.prefetch:
            for references in find_in_event(event):
                self._prefetch_all(references)
        if self._config.own_images:
            self._prefetch_all(find_in_own_event(event))

    def prefetch_sent(self, bot: BaseBot, params: Mapping[str, Any], result: object) -> None:
        """Keep the images of a message this bot has just sent, if the settings say so.

        Args:
            bot: the bot.
            params: the parameters of the ``send_…`` action.
            result: its answer.
        """
        if self._config.own_images and isinstance(bot, Bot):
            self._prefetch_all(find_sent(bot.self_id, params, result))

    def prefetch(self, reference: ImageReference) -> None:
        """Resolve in the background. Nobody is told of a failure but the log.

        It is left undone where too much is under way already; asking for the image does it then.
        """
        if (
            self._recent.get(reference) is None
            and not self._flights.full
            and self._held + reference.held <= self._config.max_bytes_in_flight
            and (reference.size or 0) <= self._config.max_image_size
        ):
            self._flights.start(reference.key, lambda: self._take_off(reference))

    def disconnected(self, bot: BaseBot) -> None:
        """End the calls of a bot whose connection is gone."""
        if isinstance(bot, Bot):
            self._peers.disconnected(bot)

    def state(self, reference: ImageReference) -> State:
        """Where an image stands, as far as this process knows without looking."""
        if reference.key in self._flights or reference.own_key in self._flights:
            return "resolving"
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

    async def close(self) -> None:
        """End everything under way, and close the store."""
        with anyio.move_on_after(_CLOSE_TIMEOUT, shield=True):
            await self._flights.close()
            await self._sources.close()
            await self._store.close()

    def _prefetch_all(self, references: Iterable[ImageReference]) -> None:
        for reference in references:
            self.prefetch(reference)

    async def _find_forwarded(self, event: BaseEvent) -> list[ImageReference]:
        if not isinstance(event, MessageEvent):
            return []
        peer = self._peer(str(event.self_id))
        return await find_forwarded(event, peer, self._config.get_image_timeout)

    async def _join(self, key: str, reference: ImageReference) -> StoredImage:
        outcome = self._recent.get(reference)
        if isinstance(outcome, StoredImage):
            return outcome
        if outcome is None and key not in self._flights and self._flights.full:
            outcome = _too_busy(reference)
        if outcome is not None:
            # it may have come another way since: what this bot sends is often told of by the peer
            # before the call that sent it returns
            known = await self._known(reference)
            if known is None:
                raise outcome.again()
            stored = StoredImage(reference, known, "store", self._store.path(known))
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
                stored = StoredImage(reference, known, "store", self._store.path(known))
            else:
                stored = await self._keep(reference, await self._fetch(reference))
            self._recent.add(reference, stored)
            return stored
        except ImageUnavailable as error:
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
            known = await self._store.find(reference)
        except StoreError as error:
            self._complain(error)
            return None
        if known is None and reference.sha256:
            attempt = Attempt("store", Cause.NOT_FOUND, "not stored (any more)", 0.0)
            raise ImageNotFound(str(reference), (attempt,))
        return known

    async def _fetch(self, reference: ImageReference) -> Fetched:
        size = min(reference.size or reference.held or _UNKNOWN, self._config.max_image_size)
        try:
            async with self._turns.take(size) as reservation:
                fetch = Fetch(reference, lambda: self._peer(reference.self_id), reservation)
                fetched, attempts = await self._sources.fetch(fetch)
        except TimeoutError:
            raise _too_busy(reference) from None
        if fetched is None:
            raise unavailable(str(reference), attempts)
        return fetched

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
        return self._peers.of(bot) if isinstance(bot, Bot) else None

    def _complain(self, error: StoreError) -> None:
        """Log trouble with the store once per cause, not once per image."""
        now = time.monotonic()
        if now - self._store_trouble.get(str(error), -_QUIET) >= _QUIET:
            self._store_trouble[str(error)] = now
            logger.error(f"qqimage: {error}; images are still fetched, but not kept")


def _too_busy(reference: ImageReference) -> ImageUnavailable:
    detail = f"{_MAX_FLIGHTS} images or {_MAX_WAIT:g} s of waiting are ahead of it"
    return unavailable(str(reference), (Attempt("resolver", Cause.TIMEOUT, detail, 0.0),))
