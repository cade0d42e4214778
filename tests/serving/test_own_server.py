"""The server of our own: what it does while the bot's loop does not, and its bounds."""

import asyncio
import contextlib
import socket
import threading
import time
import urllib.request
from collections.abc import Awaitable
from pathlib import Path
from typing import cast

import pytest

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.errors import ImageUnavailable
from nonebot_plugin_qqimage.fetch.fetcher import Fetcher
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.pipeline.arrival import Arrival
from nonebot_plugin_qqimage.serving.own_server import connections
from nonebot_plugin_qqimage.serving.own_server.bot_loop import BotLoop
from nonebot_plugin_qqimage.serving.own_server.images import OwnImages
from nonebot_plugin_qqimage.serving.route import Elsewhere
from nonebot_plugin_qqimage.store.image_store import ImageStore

from .. import samples
from .conftest import LARGE, PNG, Remote, World, picture, query_of


def blocking(url: str) -> bytes:
    """Download something without letting the event loop have its turn."""
    with urllib.request.urlopen(url, timeout=30) as response:
        return response.read()


def serving_threads() -> int:
    return sum(thread.name == "qqimage-serve" for thread in threading.enumerate())


async def test_what_is_stored_needs_no_event_loop(services: Services, remote: Remote) -> None:
    for name, data in (("png", PNG), ("large", LARGE)):
        await services.pipeline.stored(await services.pipeline.resolve(picture(name)))
        url = f"{remote.url}/qqimage/download?{query_of(services, picture(name))}"
        await remote.ask("")  # it has begun to serve
        started = time.monotonic()
        assert blocking(url) == data
        assert time.monotonic() - started < 1.5


async def test_many_who_ask_cause_one_fetch(services: Services, world: World) -> None:
    world.open.clear()
    url = await services.own_server.start()
    query = query_of(services, picture())
    clients = [Remote(url) for _ in range(100)]
    asking = [asyncio.create_task(client.ask(query)) for client in clients]
    while not world.fetched:
        await asyncio.sleep(0.01)
    asking[0].cancel()  # who leaves does not stop it for the others
    clients[0].close()
    await asyncio.sleep(0.1)
    world.open.set()
    assert {answer.body for answer in await asyncio.gather(*asking[1:])} == {PNG}
    assert len(world.fetched) == 1
    for client in clients:
        client.close()


async def test_a_large_one_in_parts(services: Services, remote: Remote) -> None:
    query = query_of(services, picture("large"))
    assert (await remote.ask(query)).body == LARGE
    assert (await remote.ask(query, range="bytes=100-2000000")).body == LARGE[100:2000001]
    head = await remote.ask(query, "HEAD")
    assert (head.status, head.headers["content-length"]) == (200, str(len(LARGE)))
    assert (await remote.ask(query, if_none_match=head.headers["etag"])).status == 304
    assert (await remote.ask(query, "HEAD")).whole  # nothing was left on the connection


async def test_another_process_of_the_folder_opens_every_url(
    services: Services, remote: Remote, world: World, tmp_path: Path
) -> None:
    store = ImageStore(services.store.folder, max_size=1 << 30, max_age=1e9)
    other = Services.of(ScopedConfig(), store, cast(Fetcher, world), dict)
    await other.links.load(store.folder)
    url = await other.own_server.start()
    assert url != remote.url
    client = Remote(url)
    assert (await client.ask(query_of(services, picture()))).body == PNG
    client.close()
    await other.own_server.stop()
    await other.pipeline.close()


async def test_it_ends_with_the_bot(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a project of its own, whose port no other test takes afterwards
    for _ in range(2):
        url = await services.own_server.start()
        client = Remote(url)
        assert (await client.ask(query_of(services, picture()))).body == PNG
        client.close()
        before = serving_threads()
        await services.own_server.stop()
        assert serving_threads() == before - 1
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", client.port), timeout=5).close()
    # at once, before it has begun to serve
    await services.own_server.start()
    await services.own_server.stop()
    await services.own_server.stop()


async def test_who_stops_reading_is_dropped(
    services: Services, remote: Remote, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_WRITE_TIMEOUT", 0.3)
    world.data["huge"] = huge = samples.png(filler=16_000_000)  # more than the system buffers
    query = query_of(services, picture("huge"))
    assert (await remote.ask(query, "HEAD")).status == 200
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(socket.socket()) for _ in range(4)]
        for reader in readers:
            reader.setblocking(False)
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await loop.sock_connect(reader, ("127.0.0.1", remote.port))
            request = f"GET /qqimage/download?{query} HTTP/1.1\r\nHost: x\r\n\r\n"
            await loop.sock_sendall(reader, request.encode())
        # they hold all the memory there is for large answers, until they are dropped
        assert (await remote.ask(query)).body == huge
        await asyncio.sleep(2.0)
        for reader in readers:
            got = bytearray()
            with contextlib.suppress(ConnectionError):
                while data := await asyncio.wait_for(loop.sock_recv(reader, 1 << 20), 30):
                    got += data
            assert len(got) < len(huge)


async def test_who_sends_no_request_is_dropped(
    services: Services, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_FIRST_REQUEST", 0.3)
    for start in (b"", b"GET /qqimage/download?a HTTP/1.1\r\nHost: "):
        reader, writer = await asyncio.open_connection("127.0.0.1", remote.port)
        writer.write(start)
        assert await asyncio.wait_for(reader.read(), 30) == b""
        writer.close()
    assert (await remote.ask(query_of(services, picture()))).body == PNG


async def test_connections_are_bounded(
    services: Services, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_MAX_CONNECTIONS", 2)
    query, other = query_of(services, picture()), Remote(remote.url)
    assert (await remote.ask(query)).body == PNG
    assert (await other.ask(query)).body == PNG
    for _ in range(3):
        assert (await Remote(remote.url).ask(query)).status == 0
    assert (await remote.ask(query)).body == PNG
    other.close()
    await asyncio.sleep(0.2)
    other = Remote(remote.url)
    assert (await other.ask(query)).body == PNG
    other.close()


async def test_what_was_forgotten_is_gone_at_once(
    services: Services, remote: Remote, world: World
) -> None:
    services.store.saw(Sighting(picture(), "group:1", "2", 1.0))
    query = query_of(services, picture())
    for _ in range(2):
        assert (await remote.ask(query)).body == PNG
    await services.pipeline.stored(await services.pipeline.resolve(picture()))
    await asyncio.sleep(0.5)  # until nothing of it is under way any more
    await services.resolver.forget(chat="group:1")
    got = await remote.ask(query)
    assert (got.status, got.problem["error"]) == (410, "Forgotten"), got
    assert len(world.fetched) == 1


async def test_clients_are_sent_to_allowed_addresses_only(services: Services) -> None:
    """As the last way, where too much is being downloaded while the bot's loop is blocked."""
    ended = asyncio.new_event_loop()
    ended.close()
    release = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        config = ScopedConfig(trusted_hosts=["127.0.0.1"])
        images = OwnImages(config, services.pipeline, BotLoop(ended))

        def resolve(url: str, number: int = 0) -> Awaitable[Arrival]:
            return images.resolve(ImageReference(self_id="1", message_id=str(number), url=url))

        under_way = [
            asyncio.ensure_future(resolve(f"{base}/{number}", number)) for number in range(1, 65)
        ]
        await asyncio.sleep(0.5)
        with pytest.raises(Elsewhere) as sent:
            await resolve(f"{base}/image")
        assert sent.value.url == f"{base}/image"
        for url in ("http://10.0.0.1/a", "http://[::1]/a", "http://2130706433/a", "file:///a", ""):
            with pytest.raises(ImageUnavailable):
                await resolve(url)
        release.set()
        await asyncio.gather(*under_way, return_exceptions=True)
        await images.close()
