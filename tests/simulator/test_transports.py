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


async def test_a_program_that_ends_and_starts_again(
    make_implementation: MakeImplementation, bot: Bot, session: aiohttp.ClientSession
) -> None:
    implementation = make_implementation("napcat")
    url = f"ws://127.0.0.1:{bot.port}/ws"
    async with (
        ForwardWebSocket(implementation) as forward,
        HttpApi(implementation) as http,
        ReverseWebSocket(implementation, url),
        SocketClient(forward.url) as client,
    ):
        ws = await bot.sockets.get()
        await implementation.send_group(implementation.picture(PHOTO))
        calling = asyncio.create_task(client.call("nc_get_rkey"))
        await implementation.called("nc_get_rkey")
        away = asyncio.create_task(implementation.away(0.2))
        await client.ended()
        with pytest.raises(asyncio.CancelledError):
            await calling
        while (await ws.receive()).type is aiohttp.WSMsgType.TEXT:
            continue
        await asyncio.sleep(0.1)
        for address in (forward.url.replace("ws:", "http:"), f"{http.url}get_status"):
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.get(address)
        await away
        async with SocketClient(forward.url) as client:
            assert (await client.event())["sub_type"] == "connect"
            lost = await client.call("get_image", file=qq_name(PHOTO))
            assert lost["message"] == "file not found"
        async with session.get(f"{http.url}get_status") as response:
            assert (await response.json())["status"] == "ok"
        assert (await (await bot.sockets.get()).receive_json())["sub_type"] == "connect"


@pytest.mark.parametrize("forget", [False, True])
@pytest.mark.parametrize("flavour", ["luckylilliabot-8", "luckylilliabot-3.29", "snowluma"])
async def test_what_is_on_disk_may_be_lost_too(
    make_implementation: MakeImplementation, flavour: str, forget: bool
) -> None:
    implementation = make_implementation(flavour)
    async with ForwardWebSocket(implementation) as server:
        message_id = await implementation.send_group(implementation.picture(PHOTO))
        implementation.flavour.event(implementation.flavour.messages[message_id])
        await implementation.away(forget=forget)
        async with SocketClient(server.url) as client:
            known = [
                (await client.call("get_image", file=qq_name(PHOTO)))["status"],
                (await client.call("get_msg", message_id=message_id))["status"],
            ]
            assert known == ["failed" if forget else "ok"] * 2


async def test_a_frame_that_is_too_large_breaks_its_connection_alone(
    make_implementation: MakeImplementation,
) -> None:
    implementation = make_implementation("napcat", inline_base64=True)
    large = len(PHOTO)
    async with (
        ForwardWebSocket(implementation, max_frame=large) as narrow,
        ForwardWebSocket(implementation) as wide,
        SocketClient(narrow.url) as first,
        SocketClient(wide.url) as second,
    ):
        await implementation.send_group(implementation.picture(PHOTO))
        for client in (first, second):
            await client.event()
            assert (await client.event())["message_type"] == "group"
        answer = await second.call("get_image", file=qq_name(PHOTO))
        assert len(answer["data"]["base64"]) > large
        with pytest.raises(asyncio.CancelledError):
            await first.call("get_image", file=qq_name(PHOTO))
        assert (await first.ended())[0] == 1006
