"""One open WebSocket, whoever opened it: calls come in and are answered, events go out."""

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType

from ..behaviour import ConnectionBreaks
from ..flavours.answers import Json, Refused
from ..implementation import SimulatedImplementation

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse, web

    # Generic only in newer releases of aiohttp, hence nothing to evaluate at run time.
    Socket = ClientWebSocketResponse[Any] | web.WebSocketResponse[Any]

MAX_CALL_SIZE = 64 * 1024 * 1024
"""Bytes a call may have; real implementations take about this much, or anything."""


class SocketLink:
    """A WebSocket to a bot.

    Args:
        implementation: whose it is.
        ws: the WebSocket.
        answers: whether it takes calls.
        events: whether it tells of events.
        max_frame: bytes of a frame over which the connection breaks, as the other end does not
            take it; None is no limit.
    """

    def __init__(
        self,
        implementation: SimulatedImplementation,
        ws: "Socket",
        *,
        answers: bool = True,
        events: bool = True,
        max_frame: int | None = None,
    ) -> None:
        self._implementation = implementation
        self._ws = ws
        self._answers = answers
        self._events = events
        self._max_frame = max_frame
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Talk until the connection ends."""
        try:
            if self._events:
                await self.send_event(_lifecycle(self._implementation))
                self._implementation.links.attach(self)
            async for message in self._ws:
                if message.type is WSMsgType.TEXT and self._answers:
                    task = asyncio.create_task(self._answer(str(message.data)))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        finally:
            self._implementation.links.detach(self)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def send_event(self, frame: Json) -> None:
        """Send a frame; a connection that just broke loses it, one too large breaks it."""
        text = _json(frame)
        if self._max_frame is not None and len(text.encode()) > self._max_frame:
            await self.drop()
            return
        try:
            await self._ws.send_str(text)
        except ConnectionError:
            return

    async def drop(self) -> None:
        """Break the connection without a closing frame."""
        connection = self._ws.get_extra_info("socket")
        if connection is not None:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    async def _answer(self, text: str) -> None:
        try:
            call: Any = json.loads(text)
            action, params = str(call["action"]), dict[str, Any](call.get("params") or {})
        except (ValueError, KeyError, TypeError):
            refusal = Refused("the call is no JSON object with an action", "bad request")
            await self.send_event(self._implementation.flavour.refuse("", refusal, "ws").body)
            return
        try:
            answer = await self._implementation.handle(action, params, "ws")
        except ConnectionBreaks:
            await self.drop()
            return
        await self.send_event(self._implementation.flavour.echo(answer.body, call, "ws"))


def _json(frame: Json) -> str:
    text = json.dumps(frame, ensure_ascii=False)
    # A lone surrogate is sent escaped, as JavaScript does it (well-formed JSON.stringify).
    return text if text.isascii() or _is_utf8(text) else json.dumps(frame)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _lifecycle(implementation: SimulatedImplementation) -> Json:
    return {
        "time": implementation.now(),
        "self_id": implementation.settings.self_id,
        "post_type": "meta_event",
        "meta_event_type": "lifecycle",
        "sub_type": "connect",
    }
