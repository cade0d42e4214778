"""An image host in a process of its own, so that its work is not counted as the bot's.

``/{size}/{milliseconds}/{number}`` gives a picture after a while; ``/fetches`` says how many it
has given so far.
"""

import argparse
import asyncio
import json
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from aiohttp import web

from .distance import listen_at_distance
from .pictures import Numbered

_ROUND_TRIP = 0.02
"""Seconds to the distant host and back."""


@dataclass(frozen=True)
class ImageHost:
    """A running image host."""

    http: str
    """Its base URL."""
    https: str
    """The same with TLS; empty when it was given no certificate."""
    distant: str
    """The same with TLS, 20 ms away: a connection, TLS and each answer take a round trip each."""

    def url(
        self,
        picture: Numbered,
        *,
        milliseconds: int = 0,
        tls: bool = False,
        distant: bool = False,
    ) -> str:
        """Where a picture is that is given after so many milliseconds."""
        base = self.distant if distant else self.https if tls else self.http
        return f"{base}/{picture.size}/{milliseconds}/{picture.number}"

    async def fetches(self) -> int:
        """How many pictures it has given so far."""
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            return (await client.get(f"{self.http}/fetches")).json()


@asynccontextmanager
async def image_host(certificate: Path | None = None) -> AsyncIterator[ImageHost]:
    """Start an image host.

    Args:
        certificate: a PEM file with a key and a certificate for 127.0.0.1, to serve TLS as well.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        *(() if certificate is None else (str(certificate),)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield ImageHost(*json.loads(await process.stdout.readline()))
    finally:
        process.terminate()
        await process.wait()


async def _serve(certificate: Path | None) -> None:
    given = 0

    async def give(request: web.Request) -> web.StreamResponse:
        nonlocal given
        given += 1
        size, milliseconds, number = (int(part) for part in request.path[1:].split("/"))
        if milliseconds:
            await asyncio.sleep(milliseconds / 1000)
        response = web.StreamResponse(headers={"Content-Type": "image/png"})
        response.content_length = size
        await response.prepare(request)
        for part in Numbered(number, size).parts:
            await response.write(part)
        await response.write_eof()
        return response

    async def tell(_: web.Request) -> web.Response:
        return web.json_response(given)

    app = web.Application()
    app.router.add_get("/fetches", tell)
    app.router.add_get("/{size}/{milliseconds}/{number}", give)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    bases = [await _listen(runner, None), "", ""]
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        bases[1] = await _listen(runner, context)
        port = await listen_at_distance(runner.addresses[-1][1], _ROUND_TRIP)
        bases[2] = f"https://127.0.0.1:{port}"
    print(json.dumps(bases), flush=True)
    await asyncio.Event().wait()


async def _listen(runner: web.AppRunner, context: ssl.SSLContext | None) -> str:
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context, backlog=1024)
    await site.start()
    return f"{'http' if context is None else 'https'}://127.0.0.1:{runner.addresses[-1][1]}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("certificate", nargs="?", type=Path)
    asyncio.run(_serve(parser.parse_args().certificate))
