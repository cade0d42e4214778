"""Pages that other parts of the plugin add to the server of our own."""

import asyncio
import threading
import time

import httpx
import pytest
from nonebot.drivers import URL, HTTPServerSetup, Request, Response

from nonebot_plugin_qqimage.bot.services import Services

from .conftest import Remote

here = threading.current_thread()


async def echo(request: Request) -> Response:
    on_the_bots_loop = threading.current_thread() is here
    said = f"{request.method} {request.url.path} {request.url.raw_query_string} {request.content!r}"
    headers = {"X-Cookie": request.cookies["a"], "X-Loop": str(on_the_bots_loop)}
    return Response(201, headers=headers, content=f"你好 {said}")


async def fail(request: Request) -> Response:
    raise LookupError("not ours")


async def freeze(request: Request) -> Response:
    end = time.monotonic() + 3.5
    while time.monotonic() < end:
        pass
    return Response(200, content=b"late")


@pytest.fixture
def pages(services: Services) -> None:
    for method, path, handler in (
        ("POST", "/echo", echo),
        ("GET", "/fail", fail),
        ("GET", "/freeze", freeze),
        ("GET", "/nothing", lambda _: asyncio.sleep(0, Response(204))),
    ):
        setup = HTTPServerSetup(URL(path), method, path.strip("/"), handler)
        services.own_server.add(setup)


async def test_a_page(pages: None, remote: Remote) -> None:
    got = await remote.ask("a=b&c=%20", "POST", path="/echo", body=b"said", cookie="a=1")
    assert got.status == 201
    assert got.body.decode() == "你好 POST /echo a=b&c=%20 b'said'"
    assert got.headers["x-cookie"] == "1"
    assert got.headers["x-loop"] == "True"
    assert (await remote.ask("", "GET", path="/nothing")).status == 204


@pytest.mark.parametrize(
    "host",
    [
        *("", "[::1", "::1", "[::1]:x", "a b", "a:b", "a/b", "a?b#c", "u@a", "x:99999", "x:-1"),
        *("%zz", "[v1.a]", "é", "\xff\xfe", "x" * 10_000),
    ],
)
async def test_what_is_no_host(
    services: Services, pages: None, remote: Remote, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The handler of a page decides what to say of it."""

    async def look(request: Request) -> Response:
        return Response(421, content=repr(request.headers["host"]))

    services.own_server.add(HTTPServerSetup(URL("/look"), "GET", "look", look))
    request = b"GET /look?a=b HTTP/1.1\r\nHost: " + host.encode("latin-1") + b"\r\n\r\n"
    got = await remote.exchange(request)
    assert got.status in (400, 421)
    assert "Traceback" not in caplog.text


async def test_what_is_no_page(pages: None, remote: Remote) -> None:
    for method, path in (("GET", "/echo"), ("GET", "/"), ("GET", "/echo/"), ("GET", "/%65cho")):
        got = await remote.ask("", method, path=path)
        assert (got.status, got.problem["error"]) == (404, "NotFound")
    assert (await remote.ask("", "HEAD", path="/")).status == 404
    assert (await remote.ask("", "GET", path="/")).problem["error"] == "NotFound"


async def test_a_page_that_fails(pages: None, remote: Remote) -> None:
    got = await remote.ask("", path="/fail")
    assert (got.status, got.problem["error"]) == (500, "Failed")
    assert b"not ours" not in got.body


async def test_a_body_that_is_too_large(pages: None, remote: Remote) -> None:
    got = await remote.ask("", "POST", path="/echo", body=b"a" * (1 << 20) + b"b")
    assert (got.status, got.problem["error"]) == (413, "TooLarge")


async def test_a_loop_that_does_not_react(pages: None, remote: Remote) -> None:
    got = await remote.ask("", path="/freeze")
    assert (got.status, got.problem["error"]) == (503, "Busy")


async def test_a_header_that_comes_twice(services: Services) -> None:
    async def log_in(_: Request) -> Response:
        return Response(303, headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])

    services.own_server.add(HTTPServerSetup(URL("/login"), "GET", "login", log_in))
    url = await services.own_server.start()
    async with httpx.AsyncClient() as client:
        got = await client.get(f"{url}/login")
    assert (got.status_code, got.headers.get_list("set-cookie")) == (303, ["a=1", "b=2"])
