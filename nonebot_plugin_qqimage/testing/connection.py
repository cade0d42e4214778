"""The bot's end of a connection: a bot of this process in front of a simulated implementation.

It does what OneBot's adapter does for a forward WebSocket, with the WebSocket of NoneBot's driver
``~aiohttp``, so that tests need no such driver of their own, and no server.
"""

import asyncio
import contextlib
import json
from typing import Any, cast

import aiohttp
from nonebot.adapters.onebot.v11 import Adapter, Bot
from nonebot.drivers import Request
from nonebot.drivers.aiohttp import WebSocket
from nonebot.exception import WebSocketClosed

_PAUSE = 0.05
"""Seconds before it connects again; the adapter waits for three."""
_LAST_HANDLERS = 2.0
"""Seconds that handlers have to end, when the connection is closed for good."""


class BotConnection:
    """Keeps a bot connected, until it is stopped.

    Args:
        adapter: of OneBot v11.
        url: where the implementation listens.
        token: what the implementation wants to be told.
    """

    def __init__(self, adapter: Adapter, url: str, token: str | None = None) -> None:
        self._adapter = adapter
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._events: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.create_task(self._keep_connected())

    async def stop(self) -> None:
        """Let handlers end, and disconnect."""
        if self._events:
            await asyncio.wait(self._events, timeout=_LAST_HANDLERS)
        for task in (*self._events, self._task):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])

    async def _keep_connected(self) -> None:
        request = Request("GET", self._url)
        # a frame that is too large comes as a TypeError, after which the connection is closed
        trouble = (aiohttp.ClientError, OSError, WebSocketClosed, TypeError)
        while True:
            with contextlib.suppress(*trouble):
                async with aiohttp.ClientSession(headers=self._headers) as session:
                    # generic only in newer releases of aiohttp
                    async with cast(Any, session).ws_connect(self._url) as socket:
                        websocket = WebSocket(request=request, session=session, websocket=socket)
                        await self._talk(websocket)
            await asyncio.sleep(_PAUSE)

    async def _talk(self, websocket: WebSocket) -> None:
        bot: Bot | None = None
        try:
            while True:
                event = self._adapter.json_to_event(json.loads(await websocket.receive()))
                if event is None:  # the answer to a call, which the adapter has noted
                    continue
                if bot is None:  # the first event says that it has connected
                    bot = Bot(self._adapter, str(event.self_id))
                    self._adapter.bot_connect(bot)
                    self._adapter.connections[bot.self_id] = websocket
                task = asyncio.create_task(bot.handle_event(event))
                self._events.add(task)
                task.add_done_callback(self._events.discard)
        finally:
            if bot is not None:
                self._adapter.connections.pop(bot.self_id, None)
                self._adapter.bot_disconnect(bot)
