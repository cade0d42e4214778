"""The route that serves images: an ASGI application of its own, whatever the framework.

Nothing but the token decides what is served. Who has none is told so at once; who has one may
have the image fetched, as any plugin may, and waits no longer than a deadline.
"""

from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, NamedTuple

import anyio
from cachetools import LRUCache

from ..content.info import ImageInfo
from ..errors import QQImageError, StoreError
from ..language import Text, say
from ..log import logger
from ..messages.reference import ImageReference
from ..pipeline.budget import ByteBudget, NoTurn
from ..pipeline.pipeline import Pipeline
from .answers import Answer, Request, busy, failed, found, problem, refused
from .links import Links
from .urls import token_in

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
Write = Callable[[Answer], Awaitable[None]]
"""Sends an answer."""

_MAX_UNDER_WAY = 1024
"""Requests for images not in memory, most of which wait for them."""
_MAX_READERS = 64
_MAX_BYTES = 64 * 1024 * 1024
"""Bytes of all bodies being sent to these."""
_MAX_WAIT = 10.0
"""Seconds to wait until there is room for one more."""
_CHUNK = 128 * 1024
_WRITE_TIMEOUT = 10.0
"""Seconds in which a reader must take a chunk."""
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


class ImageRoute:
    """Answers requests for images.

    Args:
        pipeline: gets them.
        links: opens the tokens.
        timeout: seconds that getting one may take.
    """

    def __init__(self, pipeline: Pipeline, links: Links, timeout: float) -> None:
        self._pipeline = pipeline
        self._links = links
        self._timeout = timeout + _MARGIN
        self._budget = ByteBudget(_MAX_BYTES, holders=_MAX_READERS, max_wait=_MAX_WAIT)
        self._under_way = 0
        self._given: LRUCache[Request, _Given] = LRUCache(_MAX_KEPT)

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer one request, as ASGI has it."""
        query: bytes = scope["query_string"]
        scope["query_string"] = b"qqimage=***"  # what stands here, uvicorn logs
        request = Request.of(scope["method"], query.decode("latin-1"), scope["headers"])
        await self.serve(request, lambda answer: _send(send, answer), receive)

    async def serve(self, request: Request, write: Write, receive: _Receive | None = None) -> None:
        """Answer one request.

        Args:
            request: the request.
            write: sends the answer. It is called once, or never if the client has gone.
            receive: gives the messages of ASGI, which say when the client goes.
        """
        try:
            answer = self._at_once(request)
            if isinstance(answer, Answer):
                await write(answer)
            else:
                work = self._in_time(request, answer, write)
                await (work if receive is None else _unless_gone(receive, work))
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
        store = self._pipeline.store
        known = store.known(reference, lately=True)
        if known is None:
            return reference
        if answer is None or info is not known:
            answer = found(request, known)
            self._keep(request, _Given(reference, known, answer))
        if answer.span is None:
            return answer
        data = store.at_hand(known)
        return reference if data is None or len(data) > _CHUNK else answer.with_part_of(data)

    def _keep(self, request: Request, given: "_Given") -> None:
        """Keep an answer, but for the bytes of the image, for whoever asks the same again."""
        if sum(map(len, request)) <= _MAX_KEPT_REQUEST:
            self._given[request] = given

    async def _in_time(self, request: Request, reference: ImageReference, write: Write) -> None:
        at_hand = self._pipeline.store.known(reference) is not None  # but for a look at the index
        if self._under_way >= _MAX_UNDER_WAY * (1 + at_hand):
            return await write(busy(f"{_MAX_UNDER_WAY} requests are being answered already"))
        self._under_way += 1
        try:
            if at_hand:
                with anyio.fail_after(self._timeout):
                    await self._pipeline.store.find(reference)
                answer = self._at_once(request)
                if isinstance(answer, Answer):
                    return await write(answer)
            await self._fetch(request, reference, write)
        except QQImageError as error:
            await write(failed(error))
        except (TimeoutError, NoTurn):
            await write(busy(f"{reference} takes long: ask again"))
        finally:
            self._under_way -= 1

    async def _fetch(self, request: Request, reference: ImageReference, write: Write) -> None:
        for _ in range(2):  # the store may lose it between the two steps, to eviction or damage
            with anyio.fail_after(self._timeout):
                arrival = await self._pipeline.resolve(reference)
            answer = found(request, arrival.info)
            if answer.span is None:
                return await write(answer)
            async with self._budget.reserve(arrival.info.size):
                data = await self._pipeline.read(arrival)
                if data is not None:
                    return await write(answer.with_part_of(data))
        raise StoreError(
            Text("{image}: the store lost it again as soon as it was fetched", image=str(reference))
        )


async def _send(send: _Send, answer: Answer) -> None:
    """Send an answer; a large one in chunks, to a reader who takes each of them in time."""
    # a copy of the headers, for middleware may add some
    start = {"type": "http.response.start", "status": answer.status, "headers": [*answer.headers]}
    try:
        await send(start)
        if len(answer.body) <= _CHUNK:  # the server takes all of it
            await send({"type": "http.response.body", "body": answer.body})
        else:
            await _send_in_chunks(send, answer.body)
    except OSError:  # the client has gone
        pass


async def _send_in_chunks(send: _Send, body: bytes) -> None:
    for sent in range(0, len(body), _CHUNK):
        chunk, more = body[sent : sent + _CHUNK], sent + _CHUNK < len(body)
        with anyio.move_on_after(_WRITE_TIMEOUT) as patience:
            await send({"type": "http.response.body", "body": chunk, "more_body": more})
        if patience.cancelled_caught:  # the server closes what ends unfinished
            return


async def _unless_gone(receive: _Receive, work: Coroutine[Any, Any, None]) -> None:
    """Do the work, but stop when the client goes."""

    async def watch() -> None:
        ended = False
        while (message := await receive())["type"] != "http.disconnect":
            if ended:  # some middleware says the end of the request again and again
                return
            ended = not message.get("more_body", False)
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        await work
        tasks.cancel_scope.cancel()
