"""Where the route is registered, and what happens when it cannot be."""

from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI, Response
from nonebot.drivers import ASGIMixin, Driver, HTTPServerSetup, Request
from nonebot.log import logger

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.serving.mounting import serve

from .conftest import PNG, picture


class OtherDriver:
    """An ASGI driver that is not FastAPI's."""

    type = "other+httpx"
    fails = False
    server_app = None

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.config = SimpleNamespace(host=ip_address(host), port=8080)
        self.setups: list[HTTPServerSetup] = []

    def setup_http_server(self, setup: HTTPServerSetup) -> None:
        if self.fails:
            raise NotImplementedError("no")
        self.setups.append(setup)


ASGIMixin.register(OtherDriver)


async def begin(driver: Any, services: Services) -> bool:
    services.links._served = False
    services.links._base_url = ""
    return await serve(cast(Driver, driver), services.pipeline, services.links, timeout=20)


async def test_any_asgi_driver(services: Services) -> None:
    driver = OtherDriver()
    assert await begin(driver, services)
    assert [setup.method for setup in driver.setups] == ["GET", "HEAD"]
    assert len({setup.name for setup in driver.setups}) == 2
    url = services.links.url(picture())
    assert url.startswith("http://127.0.0.1:8080" + str(driver.setups[0].path))
    handle = driver.setups[0].handle_func
    got = await handle(Request("GET", url))
    assert (got.status_code, got.content) == (200, PNG)
    assert got.headers["Content-Type"] == "image/png"
    part = await handle(Request("GET", url, headers={"Range": "bytes=0-9"}))
    assert (part.status_code, part.content) == (206, PNG[:10])
    known = await handle(Request("GET", url, headers={"If-None-Match": got.headers["etag"]}))
    assert known.status_code == 304
    head = await driver.setups[1].handle_func(Request("HEAD", url))
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(PNG)))
    assert (await handle(Request("GET", url[:-1]))).status_code == 404


async def test_a_driver_without_a_server(services: Services) -> None:
    url = services.links.url(picture())
    assert not await begin(SimpleNamespace(config=None), services)
    assert not services.links.can_serve
    assert services.links.open(url) == picture()  # messages may hold it


async def test_a_driver_that_refuses_does_not_stop_the_bot(services: Services) -> None:
    lines: list[Any] = []
    handler = logger.add(lines.append, level="WARNING")
    try:
        for driver in (OtherDriver(), type("Fake", (OtherDriver,), {"type": "fastapi"})()):
            driver.fails = True
            assert not await begin(driver, services)
    finally:
        logger.remove(handler)
    assert [("the driver refused" in line) for line in lines] == [True, True]
    assert not services.links.can_serve


async def test_a_damaged_secret_does_not_stop_the_bot(services: Services) -> None:
    (services.store.folder / "secret").write_bytes(b"short")
    driver = OtherDriver()
    assert not await begin(driver, services)
    assert not driver.setups


class RunningApp(OtherDriver):
    """FastAPI's driver, as far as it matters, once its application has started."""

    type = "fastapi"

    def __init__(self, app: FastAPI) -> None:
        super().__init__()
        self.server_app = app
        app.middleware_stack = app.build_middleware_stack()

    async def ask(self, url: str, root: str = "") -> httpx.Response:
        """What a server answers whose application lies below a root path."""
        transport = httpx.ASGITransport(self.server_app, root_path=root)
        async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
            asked = httpx.URL(url)
            return await client.get(asked.copy_with(raw_path=root.encode() + asked.raw_path))


async def greet() -> str:
    return "hello"


@pytest.mark.parametrize("root", ["", "/bot"], ids=["at the root", "below a path"])
async def test_others_pages_are_served_as_before(services: Services, root: str) -> None:
    app = FastAPI()
    app.add_api_route("/qqimage", greet)
    driver = RunningApp(app)
    app.add_api_route("/{path:path}", lambda: "caught")
    assert await begin(driver, services)
    url = services.links.url(picture())
    assert (await driver.ask(url, root)).content == PNG
    assert (await driver.ask("/qqimage", root)).json() == "hello"
    assert (await driver.ask("/qqimage/download/", root)).json() == "caught"
    assert (await driver.ask("/qqimage/download", root)).status_code == 404


async def test_nothing_of_ours_is_on_the_stack_of_others(services: Services) -> None:
    async def fail() -> None:
        raise LookupError("not ours")

    app = FastAPI()
    app.add_api_route("/page", fail)
    driver = RunningApp(app)
    assert await begin(driver, services)
    with pytest.raises(LookupError) as caught:
        await driver.ask("/page")
    places = [str(entry.path) for entry in caught.traceback]
    assert any("starlette" in place for place in places)
    assert not any("nonebot_plugin_qqimage" in place for place in places)


async def test_an_operators_middleware_has_its_say(services: Services) -> None:
    app, asked = FastAPI(), list[str]()

    @app.middleware("http")
    async def look(request: Any, call_next: Any) -> Any:
        asked.append(request.url.path)
        if len(asked) > 1:
            return Response(status_code=403)
        response = await call_next(request)
        response.headers["X-Seen"] = "yes"
        return response

    driver = RunningApp(app)
    assert await begin(driver, services)
    url = services.links.url(picture())
    got = await driver.ask(url)
    assert (got.content, got.headers["X-Seen"]) == (PNG, "yes")
    assert (await driver.ask(url)).status_code == 403
    assert len(asked) == 2


async def test_headers_that_middleware_adds_are_added_once(services: Services) -> None:
    class Adding:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def adding(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message["headers"].append((b"x-added", b"yes"))
                await send(message)

            await self.app(scope, receive, adding)

    app = FastAPI()
    app.add_middleware(Adding)
    driver = RunningApp(app)
    assert await begin(driver, services)
    for _ in range(3):
        got = await driver.ask(services.links.url(picture()))
        assert got.headers.get_list("x-added") == ["yes"]


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080/"),
        ("0.0.0.0", "http://127.0.0.1:8080/"),
        ("192.168.1.2", "http://192.168.1.2:8080/"),
        ("::", "http://[::1]:8080/"),
        ("fd00::2", "http://[fd00::2]:8080/"),
    ],
)
async def test_the_base_is_where_the_bot_listens(services: Services, host: str, base: str) -> None:
    assert await begin(OtherDriver(host), services)
    assert services.links.url(picture()).startswith(base)


async def test_unless_the_settings_say_otherwise(services: Services) -> None:
    services.links._base_url = "http://bot:1234/below/"
    assert await serve(cast(Driver, OtherDriver()), services.pipeline, services.links, timeout=20)
    assert services.links.url(picture()).startswith("http://bot:1234/below/qqimage/download?")
