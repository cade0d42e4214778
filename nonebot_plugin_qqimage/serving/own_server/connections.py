"""The connections of the server of our own: HTTP by aiohttp, with bounds for all who connect."""

import asyncio
import logging
import socket
from typing import Any

import anyio
from aiohttp import web
from nonebot.drivers import URL, HTTPServerSetup
from nonebot.drivers import Request as DriverRequest

from ..answers import Answer, Request, problem
from ..route import CHUNK, ImageRoute
from ..urls import PATH
from .giving_way import GivingWay
from .images import OwnImages
from .pages import MAX_BODY, Pages

_MAX_CONNECTIONS = 1024
_FIRST_REQUEST = 10.0
"""Seconds for a new connection to send a whole request."""
_IDLE = 30.0
"""Seconds for which a connection is kept until its next request."""
_BODY_TIMEOUT = 10.0
"""Seconds for the body of a request."""
_WRITE_TIMEOUT = 10.0
"""Seconds in which a reader must take what is written to it at a time."""
_MAX_LINE = 32 * 1024
"""Bytes of a request's first line, and of a header: twice the longest query that is looked at."""
_SILENCE = logging.Logger("qqimage", logging.CRITICAL + 1)
"""aiohttp would log a traceback for each request that is no HTTP, and part of the request."""
_END_TIMEOUT = 0.5
"""Seconds for requests under way when the bot ends."""


class Connections:
    """Answers what comes over a listening socket.

    Args:
        route: answers requests for images.
        images: what that gets them from; closed at the end.
        pages: answers requests for other pages.
    """

    def __init__(self, route: ImageRoute, images: OwnImages, pages: Pages) -> None:
        self._route = route
        self._images = images
        self._pages = pages
        self._giving_way = GivingWay()
        self._silent: dict[web.RequestHandler, asyncio.TimerHandle] = {}

    async def serve(self, listening: socket.socket, end: asyncio.Event) -> None:
        """Serve until the end.

        Args:
            listening: the socket; it stays open.
            end: set when it is to end.
        """
        loop = asyncio.get_running_loop()
        server = web.Server(
            self._handle,
            handler_cancellation=True,  # who has gone is waited for by nobody
            access_log=None,  # URLs hold tokens
            logger=_SILENCE,
            max_line_size=_MAX_LINE,
            max_field_size=_MAX_LINE,
            keepalive_timeout=_IDLE,
            lingering_time=1.0,
        )

        def accept() -> asyncio.BaseProtocol:
            if len(server.connections) >= _MAX_CONNECTIONS:
                return _Refusal()
            protocol = server()
            self._silent[protocol] = loop.call_later(_FIRST_REQUEST, self._drop, protocol)
            return protocol

        listener = await loop.create_server(accept, sock=listening)
        warming_up = asyncio.create_task(self._images.warm_up())
        try:
            await end.wait()
        finally:
            warming_up.cancel()
            listener.close()
            await server.shutdown(_END_TIMEOUT)
            await self._images.close()

    def _drop(self, silent: web.RequestHandler) -> None:
        del self._silent[silent]
        silent.force_close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if (patience := self._silent.pop(request.protocol, None)) is not None:
            patience.cancel()
        path, _, query = request.raw_path.partition("?")
        sent: list[web.StreamResponse] = []

        async def write(answer: Answer) -> None:
            sent.append(await self._send(request, answer))

        if path == PATH:
            headers = ((name.lower(), value) for name, value in request.headers.items())
            await self._route.serve(Request.of(request.method, query, headers), write)
        elif (setup := self._pages.find(request.method, path)) is not None:
            await write(await self._page(setup, request))
        else:
            await write(problem(404, "NotFound", "nothing is served here"))
        return sent[0] if sent else web.Response(status=500)

    async def _page(self, setup: HTTPServerSetup, request: web.BaseRequest) -> Answer:
        body = bytearray()
        try:
            with anyio.fail_after(_BODY_TIMEOUT):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > MAX_BODY:
                        return problem(413, "TooLarge", f"more than {MAX_BODY} bytes")
        except TimeoutError:
            return problem(408, "TooSlow", f"not received within {_BODY_TIMEOUT:g} s")
        path, _, query = request.raw_path.partition("?")
        given = DriverRequest(
            request.method,
            # the Host may be no host at all, and raise; handlers find it among the headers
            URL.build(scheme="http", host="localhost", path=path, query_string=query, encoded=True),
            headers=[*request.headers.items()],
            cookies=dict(request.cookies),
            content=bytes(body),
        )
        return await self._pages.answer(setup, given)

    async def _send(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        """Send an answer, a large one in chunks; who does not take them in time is dropped."""
        # aiohttp takes pairs, too, although its types do not say so; names may come more than once
        headers: Any = answer.headers
        body = b"" if request.method == "HEAD" else answer.body
        if len(body) <= CHUNK:  # headers and body in one piece
            response = web.Response(status=answer.status, headers=headers, body=body)
            with _Patience(request):
                await response.prepare(request)
                await response.write_eof()
            self._giving_way.pause()
            return response
        response = web.StreamResponse(status=answer.status, headers=headers)
        await response.prepare(request)
        view = memoryview(body)
        for start in range(0, len(body), CHUNK):
            with _Patience(request):
                await response.write(view[start : start + CHUNK])
            self._giving_way.pause()
        await response.write_eof()
        return response


class _Refusal(asyncio.Protocol):
    """Closes one connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class _Patience:
    """Drops the connection when what is done within takes too long: cheaper than a cancel scope."""

    def __init__(self, request: web.BaseRequest) -> None:
        self._transport = request.transport

    def __enter__(self) -> None:
        if self._transport is None:
            raise ConnectionResetError("the client has gone")
        loop = asyncio.get_running_loop()
        self._handle = loop.call_later(_WRITE_TIMEOUT, self._transport.abort)

    def __exit__(self, *error: object) -> None:
        self._handle.cancel()
