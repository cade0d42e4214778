"""Where images are served, and what happens when they cannot be."""

from collections.abc import Iterator
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from nonebot.drivers import URL, ASGIMixin, Driver, HTTPServerSetup, Request, Response
from nonebot.log import logger

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.bot.serving import start_serving
from nonebot_plugin_qqimage.serving.mounting import mount
from nonebot_plugin_qqimage.serving.route import ImageRoute

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


async def begin(driver: Any, services: Services) -> None:
    services.links._served = False
    services.links._base_url = ""
    await start_serving(cast(Driver, driver), services)


def route_of(services: Services) -> ImageRoute:
    return ImageRoute(services.pipeline, services.links, timeout=20)


async def test_any_asgi_driver(services: Services) -> None:
    driver = OtherDriver()
    assert mount(cast(Driver, driver), route_of(services))
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
    await begin(SimpleNamespace(config=None), services)
    assert services.links.can_serve
    async with httpx.AsyncClient() as client:
        assert (await client.get(services.links.url(picture()))).content == PNG


async def test_a_driver_that_refuses_does_not_stop_the_bot(
    services: Services, log: list[Any]
) -> None:
    driver = OtherDriver()
    driver.fails = True
    await begin(driver, services)
    assert any("the driver refused" in line for line in log)
    assert services.links.can_serve


async def test_where_nothing_can_listen_the_bots_port_serves(
    services: Services, log: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.own_server, "_host", "203.0.113.7")  # of no machine
    await begin(OtherDriver(), services)
    assert any("cannot listen at 203.0.113.7" in line for line in log)
    assert services.links.url(picture()).startswith("http://127.0.0.1:8080/")
    await begin(SimpleNamespace(config=None), services)
    assert not services.links.can_serve


@pytest.fixture
def log() -> Iterator[list[Any]]:
    lines: list[Any] = []
    handler = logger.add(lines.append, level="WARNING")
    yield lines
    logger.remove(handler)


async def test_a_damaged_secret_does_not_stop_the_bot(services: Services) -> None:
    (services.store.folder / "secret").write_bytes(b"short")
    driver = OtherDriver()
    await begin(driver, services)
    assert not driver.setups
    assert not services.links.can_serve


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("192.168.1.2", "http://192.168.1.2:8080"),
        ("::", "http://[::1]:8080"),
        ("fd00::2", "http://[fd00::2]:8080"),
    ],
)
def test_the_base_is_where_the_bot_listens(services: Services, host: str, base: str) -> None:
    assert mount(cast(Driver, OtherDriver(host)), route_of(services)) == base


async def test_urls_lead_to_the_server_of_our_own(services: Services) -> None:
    driver = OtherDriver()
    await begin(driver, services)
    url = services.links.url(picture())
    assert not url.startswith("http://127.0.0.1:8080/")
    async with httpx.AsyncClient() as client:
        assert (await client.get(url)).content == PNG
    # as earlier versions made them
    earlier = httpx.URL(url).copy_with(port=8080)
    assert (await driver.setups[0].handle_func(Request("GET", str(earlier)))).content == PNG


async def test_unless_the_settings_say_otherwise(services: Services) -> None:
    services.links._base_url = "http://bot:1234/below/"
    await start_serving(cast(Driver, OtherDriver()), services)
    assert services.links.url(picture()).startswith("http://bot:1234/below/qqimage/download?")


async def test_a_page_at_both_ports(services: Services) -> None:
    async def greet(_: Request) -> Response:
        return Response(200, content="hello")

    page, driver = HTTPServerSetup(URL("/hello"), "GET", "hello", greet), OtherDriver()
    services.own_server.add(page)
    await begin(driver, services)
    assert page in driver.setups
    base = services.links.url(picture()).partition("/qqimage/")[0]
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{base}/hello")).text == "hello"
