"""Forward WebSocket: the bot connects to the implementation."""

import asyncio

from aiohttp import WSMsgType, web

from ..implementation import SimulatedImplementation
from .listener import Listener
from .socket_link import MAX_CALL_SIZE, SocketLink


class ForwardWebSocket(Listener):
    """A server at ``/`` for everything, ``/api`` for calls, ``/event`` for events.

    Args:
        max_frame: bytes of the largest frame that a bot's end survives; None is no limit.
    """

    def __init__(
        self, implementation: SimulatedImplementation, *, max_frame: int | None = None
    ) -> None:
        super().__init__(implementation)
        self.max_frame = max_frame
        """The limit for connections from now on."""

    @property
    def url(self) -> str:
        """Where the bot connects to."""
        return f"ws://127.0.0.1:{self.port}/"

    def routes(self, app: web.Application) -> None:
        """Add what it serves."""
        for path in ("/", "/api", "/api/", "/event", "/event/"):
            app.router.add_get(path, self._talk)

    async def _talk(self, request: web.Request) -> web.StreamResponse:
        if not self.allowed(request):
            return await self._refuse(request)
        ws = web.WebSocketResponse(max_msg_size=MAX_CALL_SIZE)
        await ws.prepare(request)
        path = request.path.strip("/")
        answers = path != "event" or self._implementation.flavour.event_path_answers
        await SocketLink(
            self._implementation,
            ws,
            answers=answers,
            events=path != "api",
            max_frame=self.max_frame,
        ).run()
        return ws

    async def _refuse(self, request: web.Request) -> web.StreamResponse:
        refusal = self._implementation.flavour.refuse_token()
        if refusal.frame is None and refusal.close_code is None:
            return web.Response(status=refusal.http_status)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        if refusal.frame is not None:
            await ws.send_json(refusal.frame)
        if refusal.close_code is not None:
            await ws.close(code=refusal.close_code, message=refusal.close_reason.encode())
        else:
            # NapCat closes without any code, which aiohttp's own close() cannot do.
            await ws.send_frame(b"", WSMsgType.CLOSE)
            await asyncio.wait_for(ws.receive(), 5.0)
        return ws
