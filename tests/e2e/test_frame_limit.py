"""Answers that do not fit a frame would break the bot's connection: they are not asked for."""

import asyncio

from nonebot_plugin_qqimage.demo.cdn import Fault, SimulatedCdn
from nonebot_plugin_qqimage.demo.peer import SimulatedPeer
from nonebot_plugin_qqimage.demo.pictures import noise_png, png
from nonebot_plugin_qqimage.demo.transports import ForwardWebSocket

from .conftest import PATIENCE, StartBot, told

LARGE = 1_500_000


async def test_fifty_large_pictures_on_forward_websockets(
    start_bot: StartBot, cdn: SimulatedCdn
) -> None:
    peer = SimulatedPeer("napcat", cdn, inline_base64=True)
    async with ForwardWebSocket(peer) as server:
        settings = {"DRIVER": "~httpx+~websockets", "ONEBOT_WS_URLS": [server.url]}
        async with start_bot(settings=settings) as bot:
            await peer.connected(1, PATIENCE)
            await peer.send_group(peer.picture(png()))
            assert (await told(peer))["source"] == "base64 in the answer"
            for seed in range(50):
                await peer.send_group(peer.picture(noise_png(LARGE, seed)))
                answer = await told(peer)
                assert (answer["source"], answer["size"]) == ("url of the segment", LARGE)
            await peer.send_group(peer.picture(png(seed=1)))
            assert (await told(peer))["source"] == "base64 in the answer"
            assert len(peer.links.ever) == 1
            assert len(peer.calls_of("get_image")) == 2
            warnings = [line for line in bot.log.splitlines() if "QQIMAGE__FRAME_LIMIT" in line]
            assert len(warnings) == 1
            assert "1048576 bytes" in warnings[0]

            cdn.faults.set(Fault.NOT_FOUND)
            await peer.send_group(peer.picture(noise_png(LARGE, 99)))
            failure = await told(peer)
            assert "get_image skipped" in failure["text"]
            assert "QQIMAGE__FRAME_LIMIT" in failure["text"]
            assert len(peer.links.ever) == 1


async def test_what_broke_the_connection_is_not_asked_for_again(
    start_bot: StartBot, cdn: SimulatedCdn
) -> None:
    peer = SimulatedPeer("napcat", cdn, inline_base64=True)
    async with ForwardWebSocket(peer) as server:
        settings = {
            "DRIVER": "~httpx+~websockets",
            "ONEBOT_WS_URLS": [server.url],
            "QQIMAGE__FRAME_LIMIT": 1 << 26,  # an operator who is mistaken
        }
        async with start_bot(settings=settings) as bot:
            await peer.connected(1, PATIENCE)
            first = peer.picture(noise_png(LARGE))
            await peer.send_group(first)
            await peer.called("get_image", 1, PATIENCE)
            await peer.connected(2, PATIENCE)
            assert len(list(bot.store.rglob("*.png"))) == 1
            # neither that one, nor another one as large
            for picture in (first, peer.picture(noise_png(LARGE, 1))):
                cdn.faults.set(Fault.DRIP, fileid="nobody")
                await peer.send_group(picture)
                assert (await told(peer))["size"] == LARGE
            await asyncio.sleep(0)
            assert len(peer.links.ever) == 2
            assert len(peer.calls_of("get_image")) == 1
            await peer.send_group(peer.picture(png()))
            assert (await told(peer))["source"] == "base64 in the answer"


async def test_over_http_there_is_no_limit(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    from nonebot_plugin_qqimage.demo.transports import HttpApi

    peer = SimulatedPeer("napcat", cdn, inline_base64=True)
    async with HttpApi(peer) as api:
        settings = {"DRIVER": "~fastapi+~httpx", "ONEBOT_API_ROOTS": {"10001": api.url}}
        async with start_bot(settings=settings) as bot, HttpApi(peer, post_url=bot.http_url):
            await peer.send_group(peer.picture(noise_png(20_000_000)))
            assert (await told(peer))["source"] == "base64 in the answer"
