"""Images for the server of our own: from the store, by the bot's loop, or by their link alone."""

from collections.abc import Callable
from dataclasses import replace

import anyio
from yarl import URL

from ...config import ScopedConfig
from ...content.info import ImageInfo
from ...errors import Attempt, Cause, ImageUnavailable, StoreError, unavailable
from ...fetch.fetcher import Fetched, Fetcher
from ...fetch.http.address_guard import AddressGuard, BadHost
from ...hints import EVENT_LOOP
from ...language import Text
from ...log import logger
from ...messages.reference import ImageReference
from ...pipeline.arrival import Arrival
from ...pipeline.fairness.budget import ByteBudget, NoTurn
from ...pipeline.pipeline import Pipeline
from ...pipeline.single_flight.flights import Flights
from ...store.image_store import ImageStore
from ..route import Elsewhere
from .bot_loop import PATIENCE, BotLoop, DoesNotReact

_MEMORY_SIZE = 16 * 1024 * 1024
"""Bytes of images kept in memory, beside those that the bot's loop keeps."""
_DOWNLOAD = 2.0
"""Seconds for a download while the bot's loop does not react: many clients wait for 5 in all."""
_MAX_BYTES = 64 * 1024 * 1024
"""Bytes of such downloads, held until the bot's loop has kept them."""
_MAX_DOWNLOADS = 64
_MAX_WAIT = 0.5
"""Seconds until there is room for one more."""
_UNTIL_KEPT = 600.0
"""Seconds for which the bytes are held for a loop that does not react."""
_LOOK_UP = 1.0
"""Seconds for the addresses of a host that a client is to be sent to."""


class OwnImages:
    """Gets images in a thread of its own. The store has index connections of its own here.

    Args:
        config: the settings.
        pipeline: gets what is not stored; used on the bot's loop only.
        bot: that loop.
    """

    def __init__(self, config: ScopedConfig, pipeline: Pipeline, bot: BotLoop) -> None:
        self._store = ImageStore(
            pipeline.store.folder,
            max_size=config.max_store_size,
            max_age=config.max_age,
            remember_sightings=False,
            memory_size=_MEMORY_SIZE,
        )
        self._forgotten = pipeline.store.forgetting.times
        self._config = config
        self._pipeline = pipeline
        self._bot = bot
        self._fetcher = Fetcher(config)
        self._guard = AddressGuard(config.trusted_hosts)
        self._flights: Flights[Fetched] = Flights(_MAX_DOWNLOADS)
        self._budget = ByteBudget(_MAX_BYTES, holders=_MAX_DOWNLOADS, max_wait=_MAX_WAIT)

    @property
    def store(self) -> ImageStore:
        """Where images are kept; it knows nothing of what the bot's loop has forgotten."""
        forgotten = self._pipeline.store.forgetting.times
        if forgotten != self._forgotten:
            self._forgotten = forgotten
            self._store.look_anew()
        return self._store

    async def resolve(self, reference: ImageReference) -> Arrival:
        """The image a reference means.

        Raises:
            ImageUnavailable: no source that can be asked has it.
            Elsewhere: nothing is left but to send the client to the link itself.
        """
        info = await self._stored(reference)
        if info is not None:
            return Arrival(reference, info, "store")
        if reference.own_key not in self._flights:
            try:
                return await self._bot.call(lambda: self._pipeline.resolve(reference))
            except DoesNotReact:
                pass
        if self._flights.full:
            raise await self._sent_elsewhere(reference)
        fetched = await self._flights.join(
            reference.own_key, lambda deliver: self._download(reference, deliver)
        )
        return Arrival(reference, fetched.info, fetched.source, fetched.data)

    async def read(self, arrival: Arrival) -> bytes | None:
        """The verified bytes of an image; None when the store has lost them."""
        data = arrival.data  # once: the bot's loop takes it away as soon as it is stored
        return data if data is not None else await self.store.read(arrival.info)

    async def warm_up(self) -> None:
        """Make ready what downloads need: there is little time once the bot's loop is blocked."""
        await self._fetcher.warm_up()

    async def close(self) -> None:
        """End what is under way, and close the store."""
        await self._flights.close()
        await self._fetcher.close()
        await self._store.close()

    async def _stored(self, reference: ImageReference) -> ImageInfo | None:
        try:
            return await self.store.find(reference)
        except StoreError:  # the bot's loop tells the operator
            return None

    async def _download(
        self, reference: ImageReference, deliver: Callable[[Fetched], None]
    ) -> None:
        """Download the link, deliver the image, and have it kept once the bot's loop reacts."""
        await self._refuse_forgotten(reference)
        try:
            async with self._budget.reserve(0) as reservation:
                fetched, attempts = None, (_NO_REACTION,)
                with anyio.move_on_after(_DOWNLOAD) as deadline:
                    # the file that a message names may be read by the bot's own pipeline alone
                    named = replace(reference, content="")
                    fetched, failed = await self._fetcher.fetch(
                        named, lambda: None, reservation, self.store.binding
                    )
                    attempts += tuple(a for a in failed if a.source not in _ASKED)
                if deadline.cancelled_caught:
                    if reservation.size or reservation.crowded:  # it is alive, but takes long
                        raise await self._sent_elsewhere(reference)
                    detail = Text("not downloaded within {seconds:g} s", seconds=_DOWNLOAD)
                    late = Attempt(Text("url of the segment"), Cause.TIMEOUT, detail, _DOWNLOAD)
                    attempts = (*attempts, late)
                if fetched is None:
                    error = unavailable(str(reference), attempts)
                    logger.warning(f"qqimage: {error}")
                    raise error
                deliver(fetched)
                await self._have_kept(reference, fetched)
        except NoTurn:
            raise await self._sent_elsewhere(reference) from None

    async def _have_kept(self, reference: ImageReference, fetched: Fetched) -> None:
        if await self._bot.reacts(_UNTIL_KEPT):
            try:
                await self._bot.call(lambda: self._pipeline.keep(reference, fetched))
            except DoesNotReact:  # again; the bot's own pipeline will fetch it
                pass

    async def _refuse_forgotten(self, reference: ImageReference) -> None:
        try:
            forgotten = await self.store.forgetting.is_forgotten(reference)
        except StoreError:
            forgotten = False
        if forgotten:
            attempt = Attempt("store", Cause.FORGOTTEN, Text("forgotten on request"), 0.0)
            raise unavailable(str(reference), (attempt,))

    async def _sent_elsewhere(self, reference: ImageReference) -> Elsewhere | ImageUnavailable:
        """The link itself, if the guard allows its address; or else that the image is not there."""
        try:
            url = URL(reference.url)
            if url.scheme not in ("http", "https") or not url.raw_host:
                raise ValueError("it is no link")
            self._guard.check(url.raw_host, proxied=False)
            with anyio.fail_after(_LOOK_UP):
                await self._guard.resolve(url.raw_host, url.port or 0)
        except (BadHost, ValueError, TimeoutError):
            return unavailable(str(reference), (_NO_REACTION,))
        return Elsewhere(reference.url)


_ASKED = ("get_image", "get_file")
_NO_REACTION = Attempt(
    EVENT_LOOP, Cause.TIMEOUT, Text("no sign of life for {seconds:g} s", seconds=PATIENCE), PATIENCE
)
