"""A reverse proxy in its simplest form: one address, whatever port the bot has at the moment."""

import asyncio
from contextlib import suppress
from types import TracebackType

from typing_extensions import Self


class Front:
    """Passes TCP connections on; use it with ``async with``."""

    def __init__(self) -> None:
        self.port_behind = 0
        """Where the bot listens."""
        self.url = ""
        """Where it listens itself."""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection("127.0.0.1", self.port_behind)
        await asyncio.gather(_pipe(reader, behind[1]), _pipe(behind[0], writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
