"""The least that serves and asks over HTTP, each in a process of its own.

Stands in for nginx and for wrk where these are not installed: as a server it gives one prepared
answer whatever it is asked, as a client it prints how many answers a second it has got.
"""

import argparse
import asyncio
import re
import time
from pathlib import Path

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)")


class _Server(asyncio.Protocol):
    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._asked = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._asked = (self._asked + data).split(b"\r\n\r\n")
        for _ in requests:
            self._transport.write(self._answer)


class _Client(asyncio.Protocol):
    """Asks, and asks again as soon as the answer is whole."""

    answers = 0

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._head = b""
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 304")), head
            length = _LENGTH.search(head)
            unmodified = head.startswith(b"HTTP/1.1 304")  # may tell the length it does not have
            self._missing = 0 if length is None or unmodified else int(length[1])
            self._head, data = b"", body
        self._missing -= len(data)
        if not self._missing:
            _Client.answers += 1
            self._transport.write(self._request)


async def _serve(port: int, picture: Path) -> None:
    body = await asyncio.to_thread(picture.read_bytes)
    head = f'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: {len(body)}\r\n\r\n'
    answer = head.encode() + body
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Server(answer), "127.0.0.1", port)
    await server.serve_forever()


async def _ask(port: int, path: str, etag: str, connections: int, seconds: float) -> None:
    condition = f"If-None-Match: {etag}\r\n" if etag else ""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{condition}\r\n".encode()
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: _Client(request), "127.0.0.1", port)
    started, before = time.perf_counter(), _Client.answers
    await asyncio.sleep(seconds)
    rate = (_Client.answers - before) / (time.perf_counter() - started)
    print(f"Requests/sec: {rate:.1f}")


def main() -> None:
    """Serve or ask, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--path")
    parser.add_argument("--etag", default="")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(_serve(options.port, options.serve))
    else:
        asyncio.run(
            _ask(options.port, options.path, options.etag, options.connections, options.seconds)
        )


if __name__ == "__main__":
    main()
