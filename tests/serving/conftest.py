"""The route and the server of our own in this process: a real store, and sources of the tests."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.errors import Attempt, Cause
from nonebot_plugin_qqimage.fetch.fetcher import Fetched, Fetcher
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.serving.answers import Answer, Request
from nonebot_plugin_qqimage.serving.route import ImageRoute
from nonebot_plugin_qqimage.serving.urls import PATH
from nonebot_plugin_qqimage.store.image_store import ImageStore

from .. import samples

PNG = samples.png(filler=5000)
LARGE = samples.png(filler=3_000_000)
URL = "https://multimedia.nt.qq.com.cn/download?appid=1407&fileid={}&spec=0&rkey=CAQSKAB6"


@dataclass
class World:
    """Images by the ``fileid`` in their URL; getting one waits while the gate is closed."""

    data: dict[str, bytes] = field(default_factory=lambda: {"png": PNG, "large": LARGE})
    fetched: list[ImageReference] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def fetch(
        self, reference: ImageReference, *_: object
    ) -> tuple[Fetched | None, tuple[Attempt, ...]]:
        self.fetched.append(reference)
        await self.open.wait()
        data = next((data for name, data in self.data.items() if name in reference.url), None)
        if data is None:
            dead = Attempt("url of the segment", Cause.EXPIRED, "-5503007 for rkey=***", 0.1)
            return None, (dead,)
        return Fetched(inspect(data, max_size=1 << 30, max_pixels=1 << 30), data, "url"), ()

    async def close(self) -> None:
        pass


@dataclass
class Response:
    """What a client received."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/json"
        assert self.headers["cache-control"] == "no-store"
        return json.loads(self.body)


class Client:
    """Asks the route, without a server between."""

    def __init__(self, route: ImageRoute) -> None:
        self.route = route

    async def ask(
        self, query: str, method: str = "GET", **headers: str | Iterable[str]
    ) -> Response:
        response = Response()

        async def write(answer: Answer) -> None:
            assert not response.status
            await self.take(answer)
            response.status = answer.status
            response.headers = dict(answer.headers)
            response.body = answer.body

        await self.route.serve(Request.of(method, query, _fields(headers)), write)
        assert len(response.body) == int(response.headers.get("content-length", 0)) or (
            method == "HEAD"
        )
        return response

    async def take(self, answer: Answer) -> None:
        """What happens as an answer is sent."""


def _fields(headers: dict[str, str | Iterable[str]]) -> list[tuple[str, str]]:
    return [
        (name.replace("_", "-"), value)
        for name, values in headers.items()
        for value in ([values] if isinstance(values, str) else values)
    ]


class Remote:
    """Asks the server of our own over a connection that is kept; nothing is escaped on the way.

    What is no HTTP at all is answered 400, and the connection closed, maybe before all is sent; the
    status is 0 where that answer was lost with it.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        """Where the server is."""
        self.port = int(url.rpartition(":")[2])
        """The port it listens at."""
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self,
        query: str | bytes,
        method: str = "GET",
        *,
        path: str = PATH,
        body: bytes = b"",
        **headers: str | Iterable[str],
    ) -> Response:
        query = query if isinstance(query, bytes) else query.encode("latin-1")
        fields = [("host", "bot"), *_fields(headers)]
        fields += [("content-length", str(len(body)))] if body else []
        head = "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1")
        line = b"%s %s?%s HTTP/1.1\r\n" % (method.encode(), path.encode(), query)
        return await self.exchange(line + head + b"\r\n" + body, has_body=method != "HEAD")

    async def exchange(self, request: bytes, *, has_body: bool = True) -> Response:
        """The answer to some bytes; none where the connection is closed before."""
        if self._connection is None:
            self._connection = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._connection
        response = Response()
        try:
            writer.write(request)
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)).decode("latin-1")
            line, *fields = head.strip().split("\r\n")
            response.status = int(line.split()[1])
            response.headers = {
                name.lower(): value for name, _, value in (each.partition(": ") for each in fields)
            }
            if has_body and response.status not in (204, 304):
                response.body = await reader.readexactly(int(response.headers["content-length"]))
            response.whole = True
        except (ConnectionError, asyncio.IncompleteReadError):
            response.headers["connection"] = "close"
        if response.status == 400 or response.headers.get("connection") == "close":
            self.close()
        return response

    def close(self) -> None:
        if self._connection is not None:
            self._connection[1].close()
            self._connection = None


@pytest.fixture
async def world() -> World:
    world = World()
    world.open.set()
    return world


@pytest.fixture
async def services(world: World, tmp_path: Path) -> AsyncIterator[Services]:
    config = ScopedConfig(public_url="https://bot.example.com")
    store = ImageStore(tmp_path / "store", max_size=1 << 30, max_age=1e9, memory_size=1 << 24)
    services = Services.of(config, store, cast(Fetcher, world), dict)
    await services.links.load(store.folder)
    services.links.served_at("http://127.0.0.1:8080")
    yield services
    await services.own_server.stop()
    await services.pipeline.close()


@pytest.fixture
async def remote(services: Services) -> AsyncIterator[Remote]:
    remote = Remote(await services.own_server.start())
    yield remote
    remote.close()


@pytest.fixture
def client(services: Services) -> Client:
    return Client(ImageRoute(services.pipeline, services.links, timeout=20))


def picture(name: str = "png", message: int = 1) -> ImageReference:
    """A picture of the world."""
    return ImageReference(self_id="1", message_id=str(message), url=URL.format(name))


def query_of(services: Services, reference: ImageReference) -> str:
    """The query of its URL."""
    return services.links.url(reference).partition("?")[2]
