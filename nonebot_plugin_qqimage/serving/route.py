"""The route that serves images, whatever server has received the request.

Nothing but the token decides what is served. Who has none is told so at once; who has one may
have the image fetched, as any plugin may, and waits no longer than a deadline.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

import anyio
from cachetools import LRUCache

from ..content.info import ImageInfo
from ..errors import QQImageError, StoreError
from ..language import Text, say
from ..log import logger
from ..messages.reference import ImageReference
from ..pipeline.arrival import Arrival
from ..pipeline.fairness.budget import ByteBudget, NoTurn
from ..store.image_store import ImageStore
from .answers import Answer, Request, busy, elsewhere, failed, found, problem, refused
from .links import Links
from .urls import token_in

Write = Callable[[Answer], Awaitable[None]]
"""Sends an answer."""

_MAX_UNDER_WAY = 1024
"""Requests for images not in memory, most of which wait for them."""
_MAX_READERS = 64
_MAX_BYTES = 64 * 1024 * 1024
"""Bytes of all bodies being sent to these."""
_MAX_WAIT = 10.0
"""Seconds to wait until there is room for one more."""
CHUNK = 128 * 1024
"""Bytes that are written to a reader at a time."""
_MARGIN = 10.0
"""Seconds beyond those that getting the image may take, as it may wait for its turn."""
_MAX_KEPT = 256
"""Answers kept."""
_MAX_KEPT_REQUEST = 4096
"""Characters of each request that they are kept for."""


class _Given(NamedTuple):
    """An answer, and to what."""

    reference: ImageReference | None
    info: ImageInfo | None
    answer: Answer | None


_NOTHING = _Given(None, None, None)


class Images(Protocol):
    """What gets images: the bot's pipeline, or what stands for it in another thread."""

    @property
    def store(self) -> ImageStore:
        """Where images are kept."""
        ...

    async def resolve(self, reference: ImageReference) -> Arrival:
        """The image a reference means.

        Raises:
            QQImageError: it cannot be had.
            Elsewhere: it can be had at another URL only.
        """
        ...

    async def read(self, arrival: Arrival) -> bytes | None:
        """The verified bytes of an image; None when the store has lost them."""
        ...


class Elsewhere(Exception):
    """An image can be had at another URL only, for the moment.

    Args:
        url: that URL.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url
        """That URL."""


class ImageRoute:
    """Answers requests for images.

    Args:
        images: gets them.
        links: opens the tokens.
        timeout: seconds that getting one may take.
    """

    def __init__(self, images: Images, links: Links, timeout: float) -> None:
        self._images = images
        self._links = links
        self._timeout = timeout + _MARGIN
        self._budget = ByteBudget(_MAX_BYTES, holders=_MAX_READERS, max_wait=_MAX_WAIT)
        self._under_way = 0
        self._given: LRUCache[Request, _Given] = LRUCache(_MAX_KEPT)

    async def serve(self, request: Request, write: Write) -> None:
        """Answer one request.

        Args:
            request: the request.
            write: sends the answer. It is called once; while it runs, the bytes of a large answer
                are counted as held.
        """
        try:
            answer = self._at_once(request)
            if isinstance(answer, Answer):
                await write(answer)
            else:
                await self._in_time(request, answer, write)
        except OSError:  # the client has gone
            pass
        except Exception:  # noqa: BLE001  the outermost guard
            logger.exception(say("qqimage: serving an image failed, please report it"))

    def _at_once(self, request: Request) -> Answer | ImageReference:
        """The answer, if nothing has to be waited for, and no reader can hold on to more memory.

        Or else the image that is asked for.
        """
        reference, info, answer = self._given.get(request, _NOTHING)
        if reference is None:
            refusal = refused(request)
            if refusal is not None:
                return refusal
            reference = self._links.open(token_in(request.query) or "")
            if reference is None:
                return problem(404, "NotFound", "no such image")
        store = self._images.store
        known = store.known(reference, lately=True)
        if known is None:
            return reference
        if answer is None or info is not known:
            answer = found(request, known)
            self._keep(request, _Given(reference, known, answer))
        if answer.span is None:
            return answer
        data = store.at_hand(known)
        return reference if data is None or len(data) > CHUNK else answer.with_part_of(data)

    def _keep(self, request: Request, given: "_Given") -> None:
        """Keep an answer, but for the bytes of the image, for whoever asks the same again."""
        if sum(map(len, request)) <= _MAX_KEPT_REQUEST:
            self._given[request] = given

    async def _in_time(self, request: Request, reference: ImageReference, write: Write) -> None:
        at_hand = self._images.store.known(reference) is not None  # but for a look at the index
        if self._under_way >= _MAX_UNDER_WAY * (1 + at_hand):
            return await write(busy(f"{_MAX_UNDER_WAY} requests are being answered already"))
        self._under_way += 1
        try:
            if at_hand:
                with anyio.fail_after(self._timeout):
                    await self._images.store.find(reference)
                answer = self._at_once(request)
                if isinstance(answer, Answer):
                    return await write(answer)
            await self._fetch(request, reference, write)
        except QQImageError as error:
            await write(failed(error))
        except Elsewhere as other:
            await write(elsewhere(other.url))
        except (TimeoutError, NoTurn):
            await write(busy(f"{reference} takes long: ask again"))
        finally:
            self._under_way -= 1

    async def _fetch(self, request: Request, reference: ImageReference, write: Write) -> None:
        for _ in range(2):  # the store may lose it between the two steps, to eviction or damage
            with anyio.fail_after(self._timeout):
                arrival = await self._images.resolve(reference)
            answer = found(request, arrival.info)
            if answer.span is None:
                return await write(answer)
            async with self._budget.reserve(arrival.info.size):
                data = await self._images.read(arrival)
                if data is not None:
                    return await write(answer.with_part_of(data))
        raise StoreError(
            Text("{image}: the store lost it again as soon as it was fetched", image=str(reference))
        )
