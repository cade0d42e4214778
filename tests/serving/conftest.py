"""The route in this process: a real services and store, and image sources that tests decide on."""

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
from nonebot_plugin_qqimage.serving.route import ImageRoute
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
    """Asks an ASGI application, without a server between."""

    def __init__(self, route: ImageRoute) -> None:
        self.route = route
        self.gone = asyncio.Event()

    async def ask(
        self, query: str | bytes, method: str = "GET", **headers: str | Iterable[str]
    ) -> Response:
        response = Response()
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await self.gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            await self.take(message)
            if message["type"] == "http.response.start":
                assert not response.status
                response.status = message["status"]
                response.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                response.body += message["body"]
                response.whole = not message.get("more_body", False)

        scope = {
            "type": "http",
            "method": method,
            "query_string": query if isinstance(query, bytes) else query.encode("latin-1"),
            "headers": [
                (name.replace("_", "-").encode(), value.encode("latin-1"))
                for name, values in headers.items()
                for value in ([values] if isinstance(values, str) else values)
            ],
        }
        await self.route(scope, receive, cast(Any, send))
        assert len(response.body) == int(response.headers.get("content-length", 0)) or (
            method == "HEAD" or not response.whole
        )
        return response

    async def take(self, message: dict[str, Any]) -> None:
        """What happens as a message is sent."""


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
    await services.pipeline.close()


@pytest.fixture
def client(services: Services) -> Client:
    return Client(ImageRoute(services.pipeline, services.links, timeout=20))


def picture(name: str = "png", message: int = 1) -> ImageReference:
    """A picture of the world."""
    return ImageReference(self_id="1", message_id=str(message), url=URL.format(name))


def query_of(services: Services, reference: ImageReference) -> str:
    """The query of its URL."""
    return services.links.url(reference).partition("?")[2]
