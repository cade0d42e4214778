"""Plain clients in the place of a bot."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any

import aiohttp
from typing_extensions import Self

from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.transports.forward_ws import ForwardWebSocket


class SocketClient:
    """A WebSocket to a simulated implementation, events and answers told apart."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._url = url
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        # RFC 6455 has 1006 for an end without a closing frame.
        self._ending = 1006, ""
        self._echoes = map(str, itertools.count())

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers)
        self.ws = await self._session.ws_connect(self._url, max_msg_size=0, autoclose=False)
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.ws.close()
        await self._session.close()

    async def event(self, timeout: float = 5.0) -> dict[str, Any]:
        """Take the next event."""
        return await asyncio.wait_for(self.events.get(), timeout)

    async def call(self, action: str, timeout: float = 5.0, **params: Any) -> dict[str, Any]:
        """Call an action; give the answer without its echo."""
        echo = next(self._echoes)
        answer = self._answers[echo] = asyncio.get_running_loop().create_future()
        await self.ws.send_json({"action": action, "params": params, "echo": echo})
        return await asyncio.wait_for(answer, timeout)

    async def ended(self, timeout: float = 5.0) -> tuple[int, str]:
        """Wait for the end of the connection; give the close code and the reason."""
        await asyncio.wait_for(asyncio.shield(self._task), timeout)
        return self._ending

    async def _read(self) -> None:
        while (message := await self.ws.receive()).type is aiohttp.WSMsgType.TEXT:
            frame = message.json()
            waiting = self._answers.get(frame.get("echo"))
            if waiting is None:
                self.events.put_nowait(frame)
            elif not waiting.done():
                del frame["echo"]
                waiting.set_result(frame)
        if message.type is aiohttp.WSMsgType.CLOSE:
            # RFC 6455 has 1005 for "no code", where aiohttp has 0.
            self._ending = message.data or 1005, message.extra or ""
        for waiting in self._answers.values():
            waiting.cancel()


@contextlib.asynccontextmanager
async def talk(implementation: SimulatedImplementation) -> AsyncIterator[SocketClient]:
    """Connect a client to an implementation over a forward WebSocket."""
    async with ForwardWebSocket(implementation) as server, SocketClient(server.url) as client:
        assert (await client.event())["sub_type"] == "connect"
        yield client
