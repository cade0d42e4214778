"""Plugins that know nothing of us: they download, send again, keep and ask as they always did."""

import hashlib
import json
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import PHOTO, png
from nonebot_plugin_qqimage.simulator.transports.forward_ws import ForwardWebSocket
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

from .conftest import PATIENCE, StartBot, started, told

PICTURE = png()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def say(
    implementation: SimulatedImplementation,
    command: str,
    *pictures: bytes,
    quote: int | None = None,
    group: int = 20001,
) -> int:
    """Send a command with pictures behind it."""
    parts = [
        *implementation.message("group", command).parts,
        *map(implementation.picture, pictures),
    ]
    return await implementation.send_group(parts, quote=quote, group_id=group)


async def text(implementation: SimulatedImplementation) -> str:
    return (await implementation.next_sent(PATIENCE)).text


@pytest.mark.parametrize("flavour", ["luckylilliabot-8", "napcat", "lagrange"])
async def test_with_dead_links(tmp_path: Path, cdn: SimulatedCdn, flavour: str) -> None:
    settings = {"QQIMAGE__REWRITE_URL": True}
    implementation = SimulatedImplementation(flavour, cdn)
    async with started(tmp_path / "bot", "unknowing", settings=settings) as bot:
        port = bot.port
        async with ReverseWebSocket(implementation, bot.ws_url):
            await implementation.connected(1, PATIENCE)
            photo = implementation.picture(PHOTO)
            first = await implementation.send_group(photo)
            assert (await told(implementation))["sha256"] == sha256(PHOTO)
            await implementation.send_group(implementation.picture(PICTURE))
            assert (await told(implementation))["sha256"] == sha256(PICTURE)
            # Lagrange names no picture, so what is in the store does not help a new message
            cdn.faults.set(
                Fault.EXPIRED, fileid=photo.hosted.fileid if flavour == "lagrange" else None
            )
            implementation.behaviour.hanging |= {"get_image", "get_rkey"}

            await say(implementation, "/fetch", PICTURE, quote=first)
            assert json.loads(await text(implementation)) == [[sha256(PICTURE)]] * 2 + [
                [sha256(PHOTO)]
            ]
            if flavour != "lagrange":  # whose file is no name
                await say(implementation, "/ask", PICTURE)
                assert json.loads(await text(implementation)) == [sha256(PICTURE)] * 3
            for command in ("/again", "/node"):
                await say(implementation, command, PICTURE)
                sent = await implementation.next_sent(PATIENCE)
                assert sent.pictures == [PICTURE]
                assert "http" not in json.dumps(sent.params)
            await say(implementation, "/save", PICTURE)
            assert await text(implementation) == "saved"
    cdn.faults.clear()
    cdn.faults.set(Fault.NOT_FOUND)
    implementation = SimulatedImplementation(flavour, cdn)
    async with started(tmp_path / "bot", "unknowing", settings=settings) as bot:
        assert bot.port != port
        async with ReverseWebSocket(implementation, bot.ws_url):
            await implementation.connected(1, PATIENCE)
            await say(implementation, "/recall")
            assert [(await implementation.next_sent(PATIENCE)).pictures for _ in range(2)] == [
                [PICTURE]
            ] * 2


async def test_with_a_link_that_is_dead_on_arrival(
    start_bot: StartBot, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    """Nobody waits for the picture but who downloads it."""
    implementation = SimulatedImplementation("napcat", cdn, file_dir=tmp_path / "implementation")
    implementation.behaviour.delays["get_image"] = 0.5
    cdn.faults.set(Fault.EXPIRED)
    settings = {"QQIMAGE__REWRITE_URL": True, "QQIMAGE__PREFETCH": False}
    async with start_bot("unknowing", settings=settings) as bot:
        async with ReverseWebSocket(implementation, bot.ws_url):
            await implementation.connected(1, PATIENCE)
            quoted = await implementation.send_group("nothing")
            await say(implementation, "/fetch", PICTURE, quote=quoted)
            assert json.loads(await text(implementation)) == [
                [sha256(PICTURE)],
                [sha256(PICTURE)],
                [],
            ]
            assert len(implementation.calls_of("get_image")) == 1


async def test_in_some_chats_and_not_for_all(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    settings = {
        "QQIMAGE__REWRITE_URL": ["group:20001"],
        "QQIMAGE__REWRITE_EXCLUDE": ["remote_vision"],
    }
    async with start_bot("unknowing", "remote_vision", settings=settings) as bot:
        async with ReverseWebSocket(implementation, bot.ws_url):
            await implementation.connected(1, PATIENCE)
            ours = f"http://127.0.0.1:{bot.port}/qqimage/download?"
            for group_id, start in ((20001, ours), (20002, cdn.base_url)):
                picture = implementation.picture(PICTURE)
                parts = [*implementation.message("group", "/see").parts, picture]
                await implementation.send_group(parts, group_id=group_id)
                answers = dict([(await text(implementation)).split(" ", 1) for _ in range(3)][:2])
                assert answers["here"].startswith(start)
                assert answers["far"] == cdn.url(picture.hosted, spec=False)
            # a call that has failed is repaired there, too: nothing can be lost
            implementation.answers["get_image"] = implementation.refusal("file not found")
            await say(implementation, "/ask", PICTURE, group=20002)
            assert json.loads(await text(implementation)) == [sha256(PICTURE)] * 3


async def test_a_driver_that_cannot_serve(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    async with ForwardWebSocket(implementation) as server:
        settings = {
            "DRIVER": "~httpx+~websockets",
            "ONEBOT_WS_URLS": [server.url],
            "QQIMAGE__REWRITE_URL": True,
        }
        async with start_bot("unknowing", settings=settings) as bot:
            await implementation.connected(1, PATIENCE)
            for _ in range(2):
                await say(implementation, "/see", PICTURE)
                answers = [await text(implementation) for _ in range(2)]
                assert any(answer.startswith(f"here {cdn.base_url}") for answer in answers)
            assert bot.log.count("QQIMAGE__REWRITE_URL") == 1
