"""A pooler as PgBouncer is in the mode ``transaction``: it lends a few connections to many."""

import asyncio
import contextlib
from typing import NamedTuple

_HEAD = 5
"""Bytes of a message's type and length."""
_SSL = 80877103
"""What asks whether the connection may be encrypted."""


class _Lent(NamedTuple):
    """A connection to the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Pooler:
    """Lends connections to the server, each from the first message to the end of a transaction.

    Args:
        port: of the server, which must let everybody in.
        size: how many connections it has.
    """

    def __init__(self, port: int, size: int) -> None:
        self._target = port
        self._places = asyncio.Semaphore(size)
        self._idle: list[_Lent] = []
        self._welcome = b""
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for each in self._idle:
            each.writer.transport.abort()
        await asyncio.sleep(0.01)  # until they have ended

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            login = await _login(reader, writer)
            self._idle.append(await self._take(login))  # lent to nobody yet
            self._places.release()
            writer.write(self._welcome)
            while True:
                first = await _message(reader)
                if first[:1] == b"X":
                    break
                lent = await self._take(login)
                try:
                    await _transaction(first, reader, writer, lent)
                    self._idle.append(lent)
                except BaseException:
                    lent.writer.transport.abort()
                    raise
                finally:
                    self._places.release()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _take(self, login: bytes) -> _Lent:
        """The connection that was given back last, or a new one; once there is room."""
        await self._places.acquire()
        if self._idle:
            return self._idle.pop()
        lent = _Lent(*await asyncio.open_connection("127.0.0.1", self._target))
        lent.writer.write(login)
        said = b""
        while (message := await _message(lent.reader))[:1] != b"Z":
            said += message
        self._welcome = said + message
        return lent


async def _login(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    while True:
        length = await reader.readexactly(4)
        rest = await reader.readexactly(int.from_bytes(length, "big") - 4)
        if int.from_bytes(rest[:4], "big") != _SSL:
            return length + rest
        writer.write(b"N")


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(_HEAD)
    return head + await reader.readexactly(int.from_bytes(head[1:], "big") - 4)


async def _transaction(
    first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lent: _Lent
) -> None:
    """Forward messages until the server says that no transaction is open."""

    async def ask() -> None:
        lent.writer.write(first)
        while True:
            lent.writer.write(await _message(reader))

    asking = asyncio.ensure_future(ask())
    try:
        while True:
            answer = await _message(lent.reader)
            writer.write(answer)
            if answer[:1] == b"Z" and answer[_HEAD:] == b"I":
                return
    finally:
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError, asyncio.IncompleteReadError, OSError):
            await asking
