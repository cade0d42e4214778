"""Plugins that know nothing of us: they download, send again, keep and ask as they always did."""

import hashlib
import json
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.demo.cdn import Fault, SimulatedCdn
from nonebot_plugin_qqimage.demo.peer import SimulatedPeer
from nonebot_plugin_qqimage.demo.pictures import PHOTO, png
from nonebot_plugin_qqimage.demo.transports import ForwardWebSocket, ReverseWebSocket

from .conftest import PATIENCE, StartBot, started, told

PICTURE = png()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def say(
    peer: SimulatedPeer,
    command: str,
    *pictures: bytes,
    quote: int | None = None,
    group: int = 20001,
) -> int:
    """Send a command with pictures behind it."""
    parts = [*peer.message("group", command).parts, *map(peer.picture, pictures)]
    return await peer.send_group(parts, quote=quote, group_id=group)


async def text(peer: SimulatedPeer) -> str:
    return (await peer.next_sent(PATIENCE)).text


@pytest.mark.parametrize("flavour", ["luckylilliabot-8", "napcat", "lagrange"])
async def test_with_dead_links(tmp_path: Path, cdn: SimulatedCdn, flavour: str) -> None:
    settings = {"QQIMAGE__REWRITE_URL": True}
    peer = SimulatedPeer(flavour, cdn)
    async with started(tmp_path / "bot", "unknowing", settings=settings) as bot:
        port = bot.port
        async with ReverseWebSocket(peer, bot.ws_url):
            await peer.connected(1, PATIENCE)
            photo = peer.picture(PHOTO)
            first = await peer.send_group(photo)
            assert (await told(peer))["sha256"] == sha256(PHOTO)
            await peer.send_group(peer.picture(PICTURE))
            assert (await told(peer))["sha256"] == sha256(PICTURE)
            # Lagrange names no picture, so what is in the store does not help a new message
            cdn.faults.set(
                Fault.EXPIRED, fileid=photo.hosted.fileid if flavour == "lagrange" else None
            )
            peer.behaviour.hanging |= {"get_image", "get_rkey"}

            await say(peer, "/fetch", PICTURE, quote=first)
            assert json.loads(await text(peer)) == [[sha256(PICTURE)]] * 2 + [[sha256(PHOTO)]]
            if flavour != "lagrange":  # whose file is no name
                await say(peer, "/ask", PICTURE)
                assert json.loads(await text(peer)) == [sha256(PICTURE)] * 3
            for command in ("/again", "/node"):
                await say(peer, command, PICTURE)
                sent = await peer.next_sent(PATIENCE)
                assert sent.pictures == [PICTURE]
                assert "http" not in json.dumps(sent.params)
            await say(peer, "/save", PICTURE)
            assert await text(peer) == "saved"
    cdn.faults.clear()
    cdn.faults.set(Fault.NOT_FOUND)
    peer = SimulatedPeer(flavour, cdn)
    async with started(tmp_path / "bot", "unknowing", settings=settings) as bot:
        assert bot.port != port
        async with ReverseWebSocket(peer, bot.ws_url):
            await peer.connected(1, PATIENCE)
            await say(peer, "/recall")
            assert [(await peer.next_sent(PATIENCE)).pictures for _ in range(2)] == [[PICTURE]] * 2


async def test_with_a_link_that_is_dead_on_arrival(
    start_bot: StartBot, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    """Nobody waits for the picture but who downloads it."""
    peer = SimulatedPeer("napcat", cdn, file_dir=tmp_path / "peer")
    peer.behaviour.delays["get_image"] = 0.5
    cdn.faults.set(Fault.EXPIRED)
    settings = {"QQIMAGE__REWRITE_URL": True, "QQIMAGE__PREFETCH": False}
    async with start_bot("unknowing", settings=settings) as bot:
        async with ReverseWebSocket(peer, bot.ws_url):
            await peer.connected(1, PATIENCE)
            quoted = await peer.send_group("nothing")
            await say(peer, "/fetch", PICTURE, quote=quoted)
            assert json.loads(await text(peer)) == [[sha256(PICTURE)], [sha256(PICTURE)], []]
            assert len(peer.calls_of("get_image")) == 1


async def test_in_some_chats_and_not_for_all(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    peer = SimulatedPeer("napcat", cdn)
    settings = {
        "QQIMAGE__REWRITE_URL": ["group:20001"],
        "QQIMAGE__REWRITE_EXCLUDE": ["remote_vision"],
    }
    async with start_bot("unknowing", "remote_vision", settings=settings) as bot:
        async with ReverseWebSocket(peer, bot.ws_url):
            await peer.connected(1, PATIENCE)
            ours = f"http://127.0.0.1:{bot.port}/qqimage/download?"
            for group_id, start in ((20001, ours), (20002, cdn.base_url)):
                picture = peer.picture(PICTURE)
                parts = [*peer.message("group", "/see").parts, picture]
                await peer.send_group(parts, group_id=group_id)
                answers = dict([(await text(peer)).split(" ", 1) for _ in range(3)][:2])
                assert answers["here"].startswith(start)
                assert answers["far"] == cdn.url(picture.hosted, spec=False)
            # a call that has failed is repaired there, too: nothing can be lost
            peer.answers["get_image"] = peer.refusal("file not found")
            await say(peer, "/ask", PICTURE, group=20002)
            assert json.loads(await text(peer)) == [sha256(PICTURE)] * 3


async def test_a_driver_that_cannot_serve(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    peer = SimulatedPeer("napcat", cdn)
    async with ForwardWebSocket(peer) as server:
        settings = {
            "DRIVER": "~httpx+~websockets",
            "ONEBOT_WS_URLS": [server.url],
            "QQIMAGE__REWRITE_URL": True,
        }
        async with start_bot("unknowing", settings=settings) as bot:
            await peer.connected(1, PATIENCE)
            for _ in range(2):
                await say(peer, "/see", PICTURE)
                answers = [await text(peer) for _ in range(2)]
                assert any(answer.startswith(f"here {cdn.base_url}") for answer in answers)
            assert bot.log.count("QQIMAGE__REWRITE_URL") == 1
