"""Reverse WebSocket: the implementation connects to the bot, again and again."""

import asyncio
import contextlib

import aiohttp

from ..implementation import SimulatedImplementation
from .socket_link import MAX_CALL_SIZE, SocketLink
from .transport import Transport


class ReverseWebSocket(Transport):
    """Keeps an implementation connected to a bot.

    Args:
        url: the bot's, such as ``ws://127.0.0.1:8080/onebot/v11/ws``.
        reconnect_seconds: how long to wait after a connection ended or did not come about.
        max_frame: bytes of the largest frame that the bot's end survives; None is no limit.
    """

    def __init__(
        self,
        implementation: SimulatedImplementation,
        url: str,
        *,
        reconnect_seconds: float = 0.5,
        max_frame: int | None = None,
    ) -> None:
        super().__init__(implementation)
        self.max_frame = max_frame
        """The limit for connections from now on."""
        self.last_error: str | None = None
        """Why the last attempt came to nothing."""
        self._url = url
        self._reconnect_seconds = reconnect_seconds
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.create_task(self._keep_connected())

    async def stop(self) -> None:
        """Disconnect, and connect no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _keep_connected(self) -> None:
        settings = self._implementation.settings
        headers = {
            "X-Self-ID": str(settings.self_id),
            "X-Client-Role": "Universal",
            "User-Agent": "OneBot/11",
        }
        if settings.token is not None:
            headers["Authorization"] = (
                f"{self._implementation.flavour.token_scheme} {settings.token}"
            )
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                try:
                    async with session.ws_connect(self._url, max_msg_size=MAX_CALL_SIZE) as ws:
                        await SocketLink(self._implementation, ws, max_frame=self.max_frame).run()
                except (aiohttp.ClientError, OSError) as error:
                    self.last_error = str(error)
                await asyncio.sleep(self._reconnect_seconds)
