"""Where the route is registered, and what happens when it cannot be."""

from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any, cast

import pytest
from nonebot.drivers import ASGIMixin, Driver, HTTPServerSetup, Request
from nonebot.log import logger

from nonebot_plugin_qqimage.resolver import ImageResolver
from nonebot_plugin_qqimage.web.serving import serve

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


async def begin(driver: Any, resolver: ImageResolver) -> bool:
    resolver.links._served = False
    resolver.links._base_url = ""
    return await serve(cast(Driver, driver), resolver, timeout=20)


async def test_any_asgi_driver(resolver: ImageResolver) -> None:
    driver = OtherDriver()
    assert await begin(driver, resolver)
    assert [setup.method for setup in driver.setups] == ["GET", "HEAD"]
    assert len({setup.name for setup in driver.setups}) == 2
    url = resolver.links.url(picture())
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


async def test_a_driver_without_a_server(resolver: ImageResolver) -> None:
    url = resolver.links.url(picture())
    assert not await begin(SimpleNamespace(config=None), resolver)
    assert not resolver.links.can_serve
    assert resolver.links.open(url) == picture()  # messages may hold it


async def test_a_driver_that_refuses_does_not_stop_the_bot(resolver: ImageResolver) -> None:
    lines: list[Any] = []
    handler = logger.add(lines.append, level="WARNING")
    try:
        for driver in (OtherDriver(), type("Fake", (OtherDriver,), {"type": "fastapi"})()):
            driver.fails = True
            assert not await begin(driver, resolver)
    finally:
        logger.remove(handler)
    assert [("the driver refused" in line) for line in lines] == [True, True]
    assert not resolver.links.can_serve


async def test_a_damaged_secret_does_not_stop_the_bot(resolver: ImageResolver) -> None:
    (resolver.store.folder / "secret").write_bytes(b"short")
    driver = OtherDriver()
    assert not await begin(driver, resolver)
    assert not driver.setups


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
async def test_the_base_is_where_the_bot_listens(
    resolver: ImageResolver, host: str, base: str
) -> None:
    assert await begin(OtherDriver(host), resolver)
    assert resolver.links.url(picture()).startswith(base)


async def test_unless_the_settings_say_otherwise(resolver: ImageResolver) -> None:
    resolver.links._base_url = "http://bot:1234/below/"
    assert await serve(cast(Driver, OtherDriver()), resolver, timeout=20)
    assert resolver.links.url(picture()).startswith("http://bot:1234/below/qqimage/download?")
