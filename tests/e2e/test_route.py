"""Pictures over HTTP from a running bot: what plugins get, and what nobody gets."""

import asyncio
import contextlib
import importlib.util
import json
import random
import socket
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import httpx
import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import PHOTO, noise_png

from .bots import (
    PATIENCE,
    SharedBot,
    Simulate,
    accounts,
    connected,
    fresh,
    new_png,
    sha256,
    started,
    watched,
)

LARGE = noise_png(8_000_000)
MB = 1024 * 1024
without_quart = pytest.mark.skipif(
    importlib.util.find_spec("quart") is None, reason="needs nonebot2[quart]"
)


async def said(implementation: SimulatedImplementation, start: str) -> str:
    """The rest of the next message that begins so."""
    while True:
        text = (await implementation.next_sent(PATIENCE)).text
        if text.startswith(start):
            return text.removeprefix(start)


@pytest.mark.parametrize("driver", ["~fastapi", pytest.param("~quart", marks=without_quart)])
async def test_a_picture_for_any_client(
    tmp_path: Path, simulate: Simulate, cdn: SimulatedCdn, driver: str
) -> None:
    settings = {"DRIVER": driver, "QQIMAGE__PREFETCH": False, "QQIMAGE__REWRITE_URL": True}
    plugins = ("say_urls", "unknowing")
    data = fresh(PHOTO)
    async with started(tmp_path / "bot", *plugins, settings=settings) as bot:
        async with connected(simulate("napcat"), bot) as implementation:
            await implementation.send_group(["/url", implementation.picture(data)])
            first = (await said(implementation, "url "))[::-1]
            for sign in (bot.served_at, "/download?", "appid=", "fileid="):
                assert sign in first
            assert "rkey=" not in first
            await _get(first)
        cdn.faults.set(Fault.EXPIRED)
        await _as_every_client_does(first, data)
        await _as_every_client_does(at_the_bots_port(first, bot), data)
        await _log_hides(first, bot)
        if driver == "~fastapi":
            await _dead_on_arrival(simulate("napcat", file_dir=tmp_path / "files"), bot)
    # with another port of the bot, and with nobody to ask
    async with started(tmp_path / "bot", *plugins, settings=settings) as bot:
        await _as_every_client_does(first, data)
        await _as_every_client_does(at_the_bots_port(first, bot), data)
        await _log_hides(first, bot)


def at_the_bots_port(url: str, bot: SharedBot) -> str:
    """The URL as earlier versions made it, or as a reverse proxy asks for it."""
    return url.replace(url.split("/")[2], f"127.0.0.1:{bot.port}")


async def _log_hides(url: str, bot: SharedBot) -> None:
    """No token may be read in an access log, whichever server writes it."""
    assert "/qqimage/download?" in bot.log
    assert "qqimage=***" in bot.log
    assert url.rpartition("=")[2] not in bot.log


async def _dead_on_arrival(implementation: SimulatedImplementation, bot: SharedBot) -> None:
    """Nobody waits for the picture but who downloads it."""
    implementation.behaviour.delays["get_image"] = 0.5
    data = new_png()
    async with connected(implementation, bot):
        quoted = await implementation.send_group("nothing")
        await implementation.send_group(["/fetch", implementation.picture(data)], quote=quoted)
        fetched = json.loads((await implementation.next_sent(PATIENCE)).text)
        assert fetched == [[sha256(data)], [sha256(data)], []]
        assert len(implementation.calls_of("get_image")) == 1


async def _as_every_client_does(url: str, data: bytes) -> None:
    got = await _get(url)
    assert (got.status_code, got.content) == (200, data)
    assert got.headers["content-type"] == "image/jpeg"
    assert got.headers["etag"] == f'"{sha256(data)}"'
    assert got.headers["x-content-type-options"] == "nosniff"
    head = await _get(url, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == "image/jpeg"
    assert head.headers["etag"] == got.headers["etag"]
    assert (await _get(url, **{"if-none-match": got.headers["etag"]})).status_code == 304
    part = await _get(url, range="bytes=-5")
    assert (part.status_code, part.content) == (206, data[-5:])
    wrong = await _get(url[:-1] + ("A" if url[-1] != "A" else "B"))
    assert (wrong.status_code, wrong.json()["error"]) == (404, "NotFound")
    assert (await _get(url, "POST")).status_code == 405
    in_a_thread = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=30).read())
    assert in_a_thread == data


async def _get(url: str, method: str = "GET", **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        return await client.request(method, url, headers=headers)


class Attacked:
    """A bot with two pictures, one of them large, and what is needed to attack it."""

    def __init__(
        self, bot: SharedBot, implementation: SimulatedImplementation, small: str, large: str
    ) -> None:
        self.bot = bot
        self.implementation = implementation
        self.small = small
        self.large = large
        self.port = int(bot.served_at.rpartition(":")[2])
        self.secrets = (PHOTO, LARGE[:1000], (bot.store / "secret").read_bytes())

    async def raw(self, request: bytes, port: int = 0) -> bytes:
        """The answer to these bytes, until the connection is closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port or self.port)
        try:
            writer.write(request)
            with anyio.fail_after(PATIENCE), contextlib.suppress(ConnectionError):
                return await reader.read()
            return b""
        finally:
            writer.close()

    def target(self, url: str) -> str:
        """The path and query of a URL of this bot."""
        return url.partition(f":{self.port}")[2]

    async def chat(self) -> None:
        """The bot answers, as if nothing was going on."""
        await self.implementation.send_private("ping")
        assert await said(self.implementation, "pong") == ""

    def peak(self) -> float:
        """The most memory that the bot has ever used, in MB."""
        assert self.bot._process is not None
        status = Path(f"/proc/{self.bot._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@pytest.fixture(scope="module")
async def attacked_process(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Attacked]:
    folder = tmp_path_factory.mktemp("attacked") / "bot"
    async with SimulatedCdn() as cdn, started(folder, "say_urls", "ping") as bot:
        implementation = SimulatedImplementation("napcat", cdn, self_id=next(accounts))
        async with connected(implementation, bot):
            urls: list[str] = []
            for picture in (PHOTO, LARGE):
                await implementation.send_group(["/url", implementation.picture(picture)])
                urls.append((await said(implementation, "url "))[::-1])
                assert (await _get(urls[-1])).content == picture
            yield Attacked(bot, implementation, *urls)


@pytest.fixture
async def attacked(attacked_process: Attacked) -> AsyncIterator[Attacked]:
    for _ in watched(attacked_process.bot):
        yield attacked_process
        assert (await _get(attacked_process.small)).content == PHOTO
        assert (await _get(attacked_process.large)).content == LARGE


async def test_a_picture_that_cannot_be_had(
    attacked: Attacked, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    cdn.faults.set(Fault.NOT_FOUND)
    async with connected(simulate("lagrange"), attacked.bot) as implementation:
        await implementation.send_group(["/url", implementation.picture(new_png())])
        got = await _get((await said(implementation, "url "))[::-1])
        assert got.status_code == 502
        assert got.headers["content-type"] == "application/json"
        assert got.json()["error"] == "ImageNotFound"
        assert got.json()["attempts"]
        assert cdn.keys.current("group").value not in got.text


async def test_attacks(attacked: Attacked) -> None:
    for port in (attacked.port, attacked.bot.port):
        await _wrong_tokens(attacked, port)
        await _odd_requests(attacked, port)
        await attacked.chat()


async def _wrong_tokens(attacked: Attacked, port: int) -> None:
    chance = random.Random(6)
    target, _, token = attacked.target(attacked.small).rpartition("=")

    def request(last: bool) -> str:
        at, to = chance.randrange(len(token)), chance.choice("AB-_0")
        wrong = token[:at] + (to if to != token[at] else "1") + token[at + chance.randint(0, 1) :]
        connection = "close" if last else "keep-alive"
        return f"GET {target}={wrong} HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\n\r\n"

    for _ in range(10):
        answers = await attacked.raw("".join(request(n == 299) for n in range(300)).encode(), port)
        assert answers.count(b"HTTP/1.1 404 ") == answers.count(b"HTTP/1.1 ") == 300
        assert answers.count(b'"no such image"') == 300


async def _odd_requests(attacked: Attacked, port: int) -> None:
    token = attacked.small.rpartition("=")[2]
    targets = [
        f"/qqimage/download/../../../secret?qqimage={token}",
        f"/qqimage/../qqimage/secret?qqimage={token}",
        f"/qqimage/%2e%2e/data/nonebot_plugin_qqimage/secret?qqimage={token}",
        f"/qqimage/download%2f..%2fsecret?qqimage={token}",
        f"/qqimage/download%00?qqimage={token}",
        f"/qqimage/download\0?qqimage={token}",
        f"/qqimage\\download?qqimage={token}",
        f"/qqimage/secret?qqimage={token}",
        f"/qqimage?qqimage={token}",
        f"//qqimage//download?qqimage={token}",
        f"/QQIMAGE/download?qqimage={token}",
        "/qqimage/download?qqimage=../secret",
        "/qqimage/download?file=secret&path=/etc/passwd",
        "/qqimage/download?" + "a" * 1_000_000 + f"&qqimage={token}",
        "/qqimage/download?" + "&" * 30_000 + f"qqimage={token}",
        "http://127.0.0.1/qqimage/download?qqimage=wrong",
        "http://evil.example/../secret",
        "file:///etc/passwd",
        "*",
        "",
    ]
    requests = [
        f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" for target in targets
    ]
    requests += [
        f"GET /qqimage/download?qqimage=wrong HTTP/1.1\r\nX: {'a' * 1_000_000}\r\n"
        "Connection: close\r\n\r\n",
        "GET /qqimage/download?qqimage=wrong HTTP/1.1\r\n"
        + "A: b\r\n" * 10_000
        + "Connection: close\r\n\r\n",
        f"POST /qqimage/download?qqimage={token} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Content-Length: 9\r\n\r\n../secret",
        f"DELETE {targets[0]} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ]
    for request in requests:
        answer = await attacked.raw(request.encode("latin-1"), port)
        status = answer[:12].partition(b" ")[2]
        assert not answer or status[:1] in (b"3", b"4"), (request[:100], answer[:200])
        assert not any(secret in answer for secret in attacked.secrets), request[:100]
        assert b"image/" not in answer.partition(b"\r\n\r\n")[0].lower()


async def test_500_clients_at_once(attacked: Attacked) -> None:
    target = attacked.target(attacked.small)
    request = f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    idle = attacked.peak() if sys.platform == "linux" else 0
    async with anyio.create_task_group() as tasks:

        async def ask() -> None:
            for _ in range(4):
                answer = await attacked.raw(request)
                assert answer.startswith(b"HTTP/1.1 200 ")
                assert answer.endswith(PHOTO)

        for _ in range(500):
            tasks.start_soon(ask)
        for _ in range(10):
            await attacked.chat()
    if sys.platform == "linux":
        assert attacked.peak() - idle < 100


async def test_readers_that_do_not_read(attacked: Attacked) -> None:
    target = attacked.target(attacked.large)
    request = f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    idle = attacked.peak() if sys.platform == "linux" else 0
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        for _ in range(100):
            reader = stack.enter_context(socket.socket())
            reader.setblocking(False)
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await loop.sock_connect(reader, ("127.0.0.1", attacked.port))
            await loop.sock_sendall(reader, request)
        for _ in range(10):
            await attacked.chat()
            assert (await _get(attacked.small)).content == PHOTO
        if sys.platform == "linux":
            assert attacked.peak() - idle < 160  # 100 × 8 MB, if every one held a copy
