"""Reverse WebSocket: the implementation connects to the bot, again and again."""

import asyncio
import contextlib
from types import TracebackType
from typing import TYPE_CHECKING

import aiohttp

from ..implementation import SimulatedImplementation
from .socket_link import MAX_CALL_SIZE, SocketLink

if TYPE_CHECKING:
    from typing_extensions import Self


class ReverseWebSocket:
    """Keeps an implementation connected to a bot; use it as an async context manager.

    Args:
        url: the bot's, such as ``ws://127.0.0.1:8080/onebot/v11/ws``.
        reconnect_seconds: how long to wait after a connection ended or did not come about.
    """

    def __init__(
        self, implementation: SimulatedImplementation, url: str, *, reconnect_seconds: float = 0.5
    ) -> None:
        self.last_error: str | None = None
        """Why the last attempt came to nothing."""
        self._implementation = implementation
        self._url = url
        self._reconnect_seconds = reconnect_seconds
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Self":
        self._task = asyncio.create_task(self._keep_connected())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
                        await SocketLink(self._implementation, ws).run()
                except (aiohttp.ClientError, OSError) as error:
                    self.last_error = str(error)
                await asyncio.sleep(self._reconnect_seconds)
