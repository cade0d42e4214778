"""Every way of connecting and each driver's limits: pictures come through all of them."""

import contextlib
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import (
    ANIMATION,
    PHOTO,
    STICKER,
    WEBP,
    noise_png,
)
from nonebot_plugin_qqimage.simulator.transports.forward_ws import ForwardWebSocket
from nonebot_plugin_qqimage.simulator.transports.http import HttpApi

from ..cli.conftest import module
from .bots import (
    PATIENCE,
    SharedBot,
    Simulate,
    accounts,
    connected,
    files,
    fresh,
    new_png,
    seeds,
    started,
    told,
    watched,
)
from .test_doctor import HOST, learned

FLAVOURS = ["luckylilliabot-8", "napcat", "snowluma", "lagrange"]
LARGE = 1_500_000
"""Bytes of a picture that does not fit a frame of NoneBot's ``~websockets`` as base64."""


async def a_few_pictures(implementation: SimulatedImplementation) -> None:
    for data in (new_png(), fresh(PHOTO), fresh(ANIMATION), fresh(WEBP)):
        await implementation.send_private(implementation.picture(data, kind="private"))
        answer = await told(implementation)
        assert answer["size"] == len(data), answer
    sticker = implementation.picture(fresh(STICKER), sticker=True)
    await implementation.send_group([sticker, implementation.picture(new_png())])
    assert [(await told(implementation))["mime"] for _ in range(2)] == ["image/gif", "image/png"]


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_reverse_websocket(common: SharedBot, simulate: Simulate, flavour: str) -> None:
    async with connected(simulate(flavour), common) as implementation:
        await a_few_pictures(implementation)


class Servers:
    """Implementations that a bot connects to; they exist before it does.

    Args:
        cdn: where their pictures are.
        inlining: how many of them put base64 into their answers (NapCat).
    """

    def __init__(self, cdn: SimulatedCdn, inlining: int = 0) -> None:
        self.by_flavour = {
            flavour: SimulatedImplementation(flavour, cdn, self_id=next(accounts))
            for flavour in FLAVOURS
        }
        self.inlining = [
            SimulatedImplementation("napcat", cdn, self_id=next(accounts), inline_base64=True)
            for _ in range(inlining)
        ]
        self.all = [*self.by_flavour.values(), *self.inlining]
        self.cdn = cdn


@contextlib.asynccontextmanager
async def forward(
    folder: pytest.TempPathFactory, driver: str, inlining: int = 0, **settings: object
) -> AsyncIterator[tuple[SharedBot, Servers]]:
    """A bot that connects to implementations by forward WebSockets."""
    async with SimulatedCdn() as cdn, contextlib.AsyncExitStack() as stack:
        servers = Servers(cdn, inlining)
        urls = [
            (await stack.enter_async_context(ForwardWebSocket(implementation))).url
            for implementation in servers.all
        ]
        settings = {"DRIVER": driver, "ONEBOT_WS_URLS": urls, **settings}
        bot = await stack.enter_async_context(
            started(folder.mktemp("forward") / "bot", "unknowing", "say_urls", settings=settings)
        )
        for implementation in servers.all:
            await implementation.connected(1, PATIENCE)
        yield bot, servers


@pytest.fixture(scope="module")
async def websockets_process(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[SharedBot, Servers]]:
    settings = {"QQIMAGE__REWRITE_URL": True, "QQIMAGE__MIRRORS": {HOST: "http://127.0.0.1:9"}}
    async with forward(tmp_path_factory, "~httpx+~websockets", 2, **settings) as both:
        yield both


@pytest.fixture
def websockets(websockets_process: tuple[SharedBot, Servers]) -> Iterator[SharedBot]:
    yield from watched(websockets_process[0])


@pytest.fixture
def servers(websockets_process: tuple[SharedBot, Servers]) -> Iterator[Servers]:
    yield websockets_process[1]
    websockets_process[1].cdn.faults.clear()


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_forward_websocket(websockets: SharedBot, servers: Servers, flavour: str) -> None:
    await a_few_pictures(servers.by_flavour[flavour])


async def test_pictures_that_a_frame_cannot_hold(websockets: SharedBot, servers: Servers) -> None:
    implementation = servers.inlining[0]
    await implementation.send_group(implementation.picture(new_png()))
    assert (await told(implementation))["source"] == "base64 in the answer"
    for _ in range(10):
        await implementation.send_group(implementation.picture(noise_png(LARGE, next(seeds))))
        answer = await told(implementation)
        assert (answer["source"], answer["size"]) == ("url of the segment", LARGE)
    await implementation.send_group(implementation.picture(new_png()))
    assert (await told(implementation))["source"] == "base64 in the answer"
    assert len(implementation.links.ever) == 1
    assert len(implementation.calls_of("get_image")) == 2
    warnings = [line for line in websockets.log.splitlines() if "QQIMAGE__FRAME_LIMIT" in line]
    assert len(warnings) == 1
    assert "1048576 bytes" in warnings[0]

    servers.cdn.faults.set(Fault.NOT_FOUND)
    await implementation.send_group(implementation.picture(noise_png(LARGE, next(seeds))))
    failure = await told(implementation)
    assert "get_image skipped" in failure["text"]
    assert "QQIMAGE__FRAME_LIMIT" in failure["text"]
    assert len(implementation.links.ever) == 1


async def test_the_doctor_knows_of_frames(websockets: SharedBot, servers: Servers) -> None:
    implementation = servers.inlining[1]
    account = str(implementation.settings.self_id)
    await implementation.send_group(implementation.picture(new_png()))
    assert (await told(implementation))["source"] == "base64 in the answer"
    await learned(websockets, "inlines", account)
    done = await module(websockets.folder, "doctor")
    assert done.status == 1
    assert f"!       bot {account}: its connection carries answers up to 1.0 MiB" in done.out
    assert "DRIVER=~aiohttp" in done.out
    assert f"FAILED  image host {HOST}" in done.out
    assert "QQIMAGE__MIRRORS" in done.out
    assert done.err == ""


async def test_a_driver_without_a_server_serves_all_the_same(
    websockets: SharedBot, servers: Servers
) -> None:
    implementation = servers.by_flavour["napcat"]
    for command, word in (("/url", "url "), ("/see", "here ")):
        data = new_png()
        await implementation.send_group([command, implementation.picture(data)])
        answers = [(await implementation.next_sent(PATIENCE)).text for _ in range(2)]
        [said] = [text.removeprefix(word) for text in answers if text.startswith(word)]
        url = said.partition(" ")[0][::-1]
        assert url.startswith(f"{websockets.served_at}/qqimage/download?")
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            assert (await client.get(url)).content == data
    assert "QQIMAGE__REWRITE_URL" not in websockets.whole_log
    assert url.rpartition("=")[2] not in websockets.whole_log


async def test_what_broke_the_connection_is_not_asked_for_again(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = {"QQIMAGE__FRAME_LIMIT": 1 << 26}  # an operator who is mistaken
    async with forward(tmp_path_factory, "~httpx+~websockets", 1, **settings) as (bot, servers):
        (implementation,) = servers.inlining
        first = implementation.picture(noise_png(LARGE))
        await implementation.send_group(first)
        await implementation.called("get_image", 1, PATIENCE)
        await implementation.connected(2, PATIENCE)
        assert len(files(bot, first.hosted.data)) == 1
        # neither that one, nor another one as large
        for picture in (first, implementation.picture(noise_png(LARGE, 1))):
            await implementation.send_group(picture)
            assert (await told(implementation))["size"] == LARGE
        assert len(implementation.links.ever) == 2
        assert len(implementation.calls_of("get_image")) == 1
        await implementation.send_group(implementation.picture(new_png()))
        assert (await told(implementation))["source"] == "base64 in the answer"


async def test_forward_websocket_with_aiohttp(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with forward(tmp_path_factory, "~aiohttp") as (_, servers):
        for implementation in servers.all:
            await a_few_pictures(implementation)


async def test_http(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with SimulatedCdn() as cdn, contextlib.AsyncExitStack() as stack:
        servers = Servers(cdn, inlining=1)
        roots = {
            str(implementation.settings.self_id): (
                await stack.enter_async_context(HttpApi(implementation))
            ).url
            for implementation in servers.all
        }
        settings = {"DRIVER": "~fastapi+~httpx", "ONEBOT_API_ROOTS": roots}
        bot = await stack.enter_async_context(
            started(tmp_path_factory.mktemp("http") / "bot", settings=settings)
        )
        for implementation in servers.all:
            await stack.enter_async_context(HttpApi(implementation, post_url=bot.http_url))
        for implementation in servers.by_flavour.values():
            await a_few_pictures(implementation)
        # here no frame has to hold an answer
        (inlining,) = servers.inlining
        await inlining.send_group(inlining.picture(noise_png(20_000_000, next(seeds))))
        assert (await told(inlining))["source"] == "base64 in the answer"
