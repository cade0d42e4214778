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
_PATIENCE = 10.0
"""Seconds for the first connection."""
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
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect.

        Raises:
            RuntimeError: NoneBot takes no bot, as before its start, or none of this id any more.
            asyncio.TimeoutError: the implementation did not say in time that it is there.
        """
        self._task = asyncio.create_task(self._keep_connected())
        ready = asyncio.create_task(self._ready.wait())
        either = (ready, self._task)
        await asyncio.wait(either, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._task.done():
            self._task.result()
        if not self._ready.is_set():
            raise asyncio.TimeoutError

    async def stop(self) -> None:
        """Let handlers end, and disconnect."""
        if self._events:
            await asyncio.wait(self._events, timeout=_LAST_HANDLERS)
        tasks = [task for task in (*self._events, self._task) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

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
                    new = Bot(self._adapter, str(event.self_id))
                    self._adapter.bot_connect(new)
                    bot = new  # not before: another one of this id would be disconnected
                    self._adapter.connections[bot.self_id] = websocket
                    self._ready.set()
                task = asyncio.create_task(bot.handle_event(event))
                self._events.add(task)
                task.add_done_callback(self._events.discard)
        finally:
            if bot is not None:
                self._adapter.connections.pop(bot.self_id, None)
                self._adapter.bot_disconnect(bot)
