import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from nonebot_plugin_qqimage.simulator.pictures import PHOTO, qq_name
from nonebot_plugin_qqimage.simulator.transports.forward_ws import ForwardWebSocket
from nonebot_plugin_qqimage.simulator.transports.http import HttpApi
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

from .clients import SocketClient
from .conftest import MakeImplementation


class Bot:
    """A bot that takes reverse WebSockets and posts, and answers nothing of its own accord."""

    def __init__(self) -> None:
        self.sockets: asyncio.Queue[web.WebSocketResponse] = asyncio.Queue()
        self.posts: asyncio.Queue[tuple[web.Request, bytes]] = asyncio.Queue()
        self.leave = asyncio.Event()
        self.headers: list[Any] = []
        self.port = 0

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        self.headers.append(request.headers)
        ws = web.WebSocketResponse(autoclose=False)
        await ws.prepare(request)
        self.sockets.put_nowait(ws)
        await self.leave.wait()
        return ws

    async def post(self, request: web.Request) -> web.Response:
        self.posts.put_nowait((request, await request.read()))
        return web.Response(status=204)


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    bot = Bot()
    app = web.Application()
    app.router.add_get("/ws", bot.socket)
    app.router.add_post("/http", bot.post)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bot.port = runner.addresses[0][1]
    yield bot
    bot.leave.set()
    await runner.cleanup()


async def test_reverse_websocket(make_implementation: MakeImplementation, bot: Bot) -> None:
    implementation = make_implementation(token="right")
    async with ReverseWebSocket(implementation, f"ws://127.0.0.1:{bot.port}/ws"):
        ws = await bot.sockets.get()
        (headers,) = bot.headers
        assert headers["X-Self-ID"] == "10001"
        assert headers["X-Client-Role"] == "Universal"
        assert headers["Authorization"] == "Bearer right"
        assert (await ws.receive_json())["meta_event_type"] == "lifecycle"
        await implementation.connected()
        await implementation.send_group([implementation.picture(PHOTO)])
        assert (await ws.receive_json())["message_type"] == "group"
        await ws.send_json({"action": "get_image", "params": {"file": "x"}, "echo": {"n": 1}})
        answer = await ws.receive_json()
        assert (answer["retcode"], answer["echo"]) == (1200, {"n": 1})


async def test_gocqhttp_has_its_own_word_before_the_token(
    make_implementation: MakeImplementation, bot: Bot
) -> None:
    implementation = make_implementation("gocqhttp", token="right")
    async with ReverseWebSocket(implementation, f"ws://127.0.0.1:{bot.port}/ws"):
        await bot.sockets.get()
        assert bot.headers[0]["Authorization"] == "Token right"


async def test_reverse_websocket_comes_again(
    make_implementation: MakeImplementation, bot: Bot
) -> None:
    implementation = make_implementation()
    url = f"ws://127.0.0.1:{bot.port}/ws"
    async with ReverseWebSocket(implementation, url, reconnect_seconds=0.01):
        first = await bot.sockets.get()
        await implementation.connected()
        await implementation.drop_connections()
        await implementation.connected(2)
        second = await bot.sockets.get()
        assert second is not first
        await second.receive_json()
        await implementation.push({"again": True})
        assert await second.receive_json() == {"again": True}
        await second.close()
        await implementation.connected(3)


async def test_forward_websocket_paths(make_implementation: MakeImplementation) -> None:
    for flavour, event_answers in (("luckylilliabot-8", False), ("napcat", True)):
        implementation = make_implementation(flavour)
        async with (
            ForwardWebSocket(implementation) as server,
            SocketClient(f"{server.url}event") as events,
            SocketClient(f"{server.url}api") as calls,
        ):
            assert (await events.event())["sub_type"] == "connect"
            await implementation.send_group("hello")
            assert (await events.event())["raw_message"] == "hello"
            assert (await calls.call("get_status"))["status"] == "ok"
            assert calls.events.empty()
            if event_answers:
                assert (await events.call("get_status"))["status"] == "ok"
            else:
                with pytest.raises(asyncio.TimeoutError):
                    await events.call("get_status", 0.05)


async def test_forward_websocket_to_a_stranger(make_implementation: MakeImplementation) -> None:
    for flavour, ending in (("luckylilliabot-8", 1008), ("napcat", 1005)):
        implementation = make_implementation(flavour, token="right")
        async with ForwardWebSocket(implementation) as server:
            async with SocketClient(server.url, token="wrong") as client:
                assert (await client.event())["retcode"] == 1403
                assert (await client.ended())[0] == ending
            async with SocketClient(f"{server.url}?access_token=right") as client:
                assert (await client.event())["sub_type"] == "connect"
    implementation = make_implementation("lagrange", token="right")
    async with ForwardWebSocket(implementation) as server:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(server.url)


async def test_forward_websocket_and_nonsense(make_implementation: MakeImplementation) -> None:
    implementation = make_implementation()
    async with ForwardWebSocket(implementation) as server, SocketClient(server.url) as client:
        await client.event()
        for nonsense in ("{", "[]", "{}"):
            await client.ws.send_str(nonsense)
            assert (await client.event())["retcode"] == 1400
        assert implementation.calls == []


async def test_http_calls(
    make_implementation: MakeImplementation, session: aiohttp.ClientSession
) -> None:
    implementation = make_implementation()
    async with HttpApi(implementation) as api:
        await implementation.send_group(implementation.picture(PHOTO))
        async with session.post(f"{api.url}get_image", json={"file": qq_name(PHOTO)}) as reply:
            assert (await reply.json())["status"] == "ok"
        async with session.get(f"{api.url}get_image?file=x&download=false") as reply:
            assert (await reply.json())["retcode"] == 200
        assert implementation.calls[-1].params == {"file": "x", "download": "false"}
        async with session.post(f"{api.url}no_such_action") as reply:
            assert reply.status == 404
        implementation.behaviour.dropping.add("get_image")
        with pytest.raises(aiohttp.ClientError):
            await session.post(f"{api.url}get_image", json={})


async def test_http_to_a_stranger(
    make_implementation: MakeImplementation, session: aiohttp.ClientSession
) -> None:
    implementation = make_implementation("napcat", token="right")
    async with HttpApi(implementation) as api:
        async with session.post(f"{api.url}get_status") as reply:
            assert reply.status == 403
        async with session.post(f"{api.url}get_status?access_token=right") as reply:
            assert reply.status == 200
    assert [call.params for call in implementation.calls] == [{}]


async def test_http_posts_of_events(make_implementation: MakeImplementation, bot: Bot) -> None:
    implementation = make_implementation()
    post_url = f"http://127.0.0.1:{bot.port}/http"
    async with HttpApi(implementation, post_url=post_url, secret="hush"):
        await implementation.send_private("hello")
        request, body = await bot.posts.get()
        assert b'"raw_message": "hello"' in body
        assert request.headers["X-Self-ID"] == "10001"
        digest = hmac.new(b"hush", body, hashlib.sha1).hexdigest()
        assert request.headers["X-Signature"] == f"sha1={digest}"
    assert not implementation.links.open


async def test_http_posts_to_nobody_are_lost(make_implementation: MakeImplementation) -> None:
    implementation = make_implementation()
    async with HttpApi(implementation, post_url="http://127.0.0.1:9/") as api:
        await implementation.send_private("hello")
        assert api.port
