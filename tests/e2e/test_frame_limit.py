"""Answers that do not fit a frame would break the bot's connection: they are not asked for."""

import asyncio

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import noise_png, png
from nonebot_plugin_qqimage.simulator.transports.forward_ws import ForwardWebSocket

from .conftest import PATIENCE, StartBot, told

LARGE = 1_500_000


async def test_fifty_large_pictures_on_forward_websockets(
    start_bot: StartBot, cdn: SimulatedCdn
) -> None:
    implementation = SimulatedImplementation("napcat", cdn, inline_base64=True)
    async with ForwardWebSocket(implementation) as server:
        settings = {"DRIVER": "~httpx+~websockets", "ONEBOT_WS_URLS": [server.url]}
        async with start_bot(settings=settings) as bot:
            await implementation.connected(1, PATIENCE)
            await implementation.send_group(implementation.picture(png()))
            assert (await told(implementation))["source"] == "base64 in the answer"
            for seed in range(50):
                await implementation.send_group(implementation.picture(noise_png(LARGE, seed)))
                answer = await told(implementation)
                assert (answer["source"], answer["size"]) == ("url of the segment", LARGE)
            await implementation.send_group(implementation.picture(png(seed=1)))
            assert (await told(implementation))["source"] == "base64 in the answer"
            assert len(implementation.links.ever) == 1
            assert len(implementation.calls_of("get_image")) == 2
            warnings = [line for line in bot.log.splitlines() if "QQIMAGE__FRAME_LIMIT" in line]
            assert len(warnings) == 1
            assert "1048576 bytes" in warnings[0]

            cdn.faults.set(Fault.NOT_FOUND)
            await implementation.send_group(implementation.picture(noise_png(LARGE, 99)))
            failure = await told(implementation)
            assert "get_image skipped" in failure["text"]
            assert "QQIMAGE__FRAME_LIMIT" in failure["text"]
            assert len(implementation.links.ever) == 1


async def test_what_broke_the_connection_is_not_asked_for_again(
    start_bot: StartBot, cdn: SimulatedCdn
) -> None:
    implementation = SimulatedImplementation("napcat", cdn, inline_base64=True)
    async with ForwardWebSocket(implementation) as server:
        settings = {
            "DRIVER": "~httpx+~websockets",
            "ONEBOT_WS_URLS": [server.url],
            "QQIMAGE__FRAME_LIMIT": 1 << 26,  # an operator who is mistaken
        }
        async with start_bot(settings=settings) as bot:
            await implementation.connected(1, PATIENCE)
            first = implementation.picture(noise_png(LARGE))
            await implementation.send_group(first)
            await implementation.called("get_image", 1, PATIENCE)
            await implementation.connected(2, PATIENCE)
            assert len(list(bot.store.rglob("*.png"))) == 1
            # neither that one, nor another one as large
            for picture in (first, implementation.picture(noise_png(LARGE, 1))):
                cdn.faults.set(Fault.DRIP, fileid="nobody")
                await implementation.send_group(picture)
                assert (await told(implementation))["size"] == LARGE
            await asyncio.sleep(0)
            assert len(implementation.links.ever) == 2
            assert len(implementation.calls_of("get_image")) == 1
            await implementation.send_group(implementation.picture(png()))
            assert (await told(implementation))["source"] == "base64 in the answer"


async def test_over_http_there_is_no_limit(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    from nonebot_plugin_qqimage.simulator.transports.http import HttpApi

    implementation = SimulatedImplementation("napcat", cdn, inline_base64=True)
    async with HttpApi(implementation) as api:
        settings = {"DRIVER": "~fastapi+~httpx", "ONEBOT_API_ROOTS": {"10001": api.url}}
        async with (
            start_bot(settings=settings) as bot,
            HttpApi(implementation, post_url=bot.http_url),
        ):
            await implementation.send_group(implementation.picture(noise_png(20_000_000)))
            assert (await told(implementation))["source"] == "base64 in the answer"
