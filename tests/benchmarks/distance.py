"""A server that is some milliseconds away: each connection and each answer takes a round trip."""

import asyncio
from contextlib import suppress

_CHUNK = 1 << 16
_MAX_ON_THE_WAY = 1024
"""Chunks."""


async def listen_at_distance(port: int, seconds: float) -> int:
    """Pass connections on to a port of this machine, late.

    Args:
        port: that of the server.
        seconds: of a round trip, which making a connection takes as well.

    Returns:
        The port to connect to.
    """

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)  # as TCP's own handshake takes
        answers, requests = await asyncio.open_connection("127.0.0.1", port)
        with suppress(ConnectionError):
            await asyncio.gather(
                _pass_on(reader, requests, seconds / 2), _pass_on(answers, writer, seconds / 2)
            )

    server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=1024)
    return server.sockets[0].getsockname()[1]


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
) -> None:
    loop = asyncio.get_running_loop()
    way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_MAX_ON_THE_WAY)

    async def arrive() -> None:
        while True:
            at, chunk = await way.get()
            await asyncio.sleep(at - loop.time())
            if not chunk:
                break
            writer.write(chunk)
            await writer.drain()
        writer.close()

    arriving = asyncio.create_task(arrive())
    try:
        chunk = b"-"
        while chunk:
            chunk = await reader.read(_CHUNK)
            await way.put((loop.time() + seconds, chunk))
        await arriving
    finally:
        arriving.cancel()
