"""One answer of the simulated CDN put on the wire, with all its misbehaviour."""

import asyncio
import socket
import struct
import sys

from aiohttp import web

from .faults import Fault, Faults, Reply


async def put_on_wire(
    request: web.Request, outcome: Reply | Fault, picture: Reply | None, faults: Faults
) -> web.StreamResponse:
    """Answer a request; ``picture`` is the right answer which the fault spoils."""
    if isinstance(outcome, Reply):
        return await _whole(request, outcome)
    if outcome is Fault.HANG:
        # Ends when the client goes away or the server closes: both cancel this handler.
        await asyncio.Event().wait()
    if outcome is Fault.TRUNCATED and picture is not None:
        return await _truncated(request, picture)
    if outcome is Fault.DRIP and picture is not None:
        return await _drip(request, picture, faults)
    _reset(request)
    return web.Response()


async def _whole(request: web.Request, reply: Reply) -> web.StreamResponse:
    response = await _begin(request, reply)
    if reply.body:
        await response.write(reply.body)
    await response.write_eof()
    return response


async def _truncated(request: web.Request, reply: Reply) -> web.StreamResponse:
    response = await _begin(request, reply)
    await response.write(reply.body[: max(1, len(reply.body) // 2)])
    if request.transport is not None:
        request.transport.close()
    return response


async def _drip(request: web.Request, reply: Reply, faults: Faults) -> web.StreamResponse:
    response = await _begin(request, reply)
    for start in range(0, len(reply.body), faults.drip_bytes):
        await response.write(reply.body[start : start + faults.drip_bytes])
        await asyncio.sleep(faults.drip_seconds)
    await response.write_eof()
    return response


async def _begin(request: web.Request, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=dict(reply.headers))
    response.content_length = len(reply.body)
    if reply.content_type is not None:
        response.content_type = reply.content_type
    await response.prepare(request)
    return response


def _reset(request: web.Request) -> None:
    if request.transport is None:
        return
    connection = request.transport.get_extra_info("socket")
    if connection is not None:
        # Lingering for no time at all makes the kernel send RST instead of FIN.
        no_time = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_time)
    request.transport.abort()
