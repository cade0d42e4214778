"""Whatever goes wrong, events reach their matchers, the bot stays up, and the log says why."""

import itertools
import json
import time
from typing import Any

import pytest

from nonebot_plugin_qqimage.demo.cdn import Fault, SimulatedCdn
from nonebot_plugin_qqimage.demo.peer import SimulatedPeer
from nonebot_plugin_qqimage.demo.pictures import png
from nonebot_plugin_qqimage.demo.transports import ReverseWebSocket

from .conftest import PATIENCE, StartBot, stored, told

SHORT = {"QQIMAGE__GET_IMAGE_TIMEOUT": 1, "QQIMAGE__DOWNLOAD_TIMEOUT": 1}


async def test_matchers_do_not_wait_for_get_image(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    peer = SimulatedPeer("napcat", cdn)
    peer.behaviour.hanging.add("get_image")
    async with start_bot("ping") as bot, ReverseWebSocket(peer, bot.ws_url):
        await peer.connected(1, PATIENCE)
        await peer.send_group(peer.picture(png()))
        # get_image is never answered, so nobody who waits for it could say this
        assert (await peer.next_sent(PATIENCE)).text == "pong"


async def test_a_peer_that_hangs(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    peer = SimulatedPeer("napcat", cdn)
    peer.behaviour.hanging.add("get_image")
    async with start_bot(settings=SHORT) as bot, ReverseWebSocket(peer, bot.ws_url):
        await peer.connected(1, PATIENCE)
        await peer.send_group(peer.picture(png()))
        assert (await told(peer))["source"] == "url of the segment"


async def test_a_peer_and_an_image_host_that_hang(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    peer = SimulatedPeer("napcat", cdn)
    peer.behaviour.hanging.add("get_image")
    cdn.faults.set(Fault.HANG)
    async with start_bot(settings=SHORT) as bot, ReverseWebSocket(peer, bot.ws_url):
        await peer.connected(1, PATIENCE)
        await peer.send_group(peer.picture(png()))
        failure = await told(peer)
        assert failure["error"] == "ImageUnavailable"
        assert "get_image timed out" in failure["text"]
        assert "url of the segment timed out" in failure["text"]
        assert "QQIMAGE__PROXY" in failure["text"]
        lines = [line for line in bot.log.splitlines() if "qqimage: image" in line]
        assert len(lines) == 1, bot.log
        assert "[WARNING]" in lines[0]
        assert "Traceback" not in bot.log


async def test_a_socket_that_drops_in_mid_call(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    peer = SimulatedPeer("napcat", cdn)
    peer.behaviour.dropping.add("get_image")
    async with start_bot(settings=SHORT) as bot, ReverseWebSocket(peer, bot.ws_url):
        await peer.connected(1, PATIENCE)
        message = await peer.send_group(peer.picture(png()))
        await bot.wait_for_log(f"SEEN message {message}")
        await peer.connected(2, PATIENCE)
        # the picture came by its link; only the answer may have found nobody to be sent to
        await stored(bot, 1)
        peer.behaviour.dropping.clear()
        calls = len(peer.calls_of("get_image"))
        await peer.send_group(peer.picture(png()))
        sources = [(await told(peer))["source"]]
        if sources[0] != "store":  # that of the first message, sent once the bot was back
            sources.append((await told(peer))["source"])
        assert sources[-1] == "store"
        assert len(peer.calls_of("get_image")) == calls
        await peer.send_group(peer.picture(png(seed=1)))
        assert (await told(peer))["source"] == "url in the answer"


@pytest.mark.parametrize("raiser", ["late_raiser", "early_raiser"])
async def test_another_preprocessor_that_raises(
    start_bot: StartBot, cdn: SimulatedCdn, raiser: str
) -> None:
    peer = SimulatedPeer("napcat", cdn)
    async with start_bot(raiser) as bot, ReverseWebSocket(peer, bot.ws_url):
        await peer.connected(1, PATIENCE)
        picture = peer.picture(png())
        dropped = await peer.send_group([*peer.message("group", "boom").parts, picture])
        # NoneBot itself drops that event for everyone; the next one must be all right
        await bot.wait_for_log("Event ignored")
        assert f"SEEN message {dropped}" not in bot.log
        if raiser == "late_raiser":
            # our work was under way by then, and nobody could stop it
            await stored(bot, 1)
            cdn.expire_keys()
            cdn.faults.set(Fault.EXPIRED)
            peer.restart()
            await peer.send_group(peer.picture(picture.hosted.data))
            assert (await told(peer))["source"] == "store"
        else:
            await peer.send_group(picture)
            assert (await told(peer))["source"] == "url in the answer"


async def test_a_full_disk(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    peer = SimulatedPeer("napcat", cdn)
    async with start_bot("full_disk") as bot, ReverseWebSocket(peer, bot.ws_url):
        await peer.connected(1, PATIENCE)
        for seed in range(3):
            await peer.send_group(peer.picture(png(seed=seed)))
            assert "sha256" in await told(peer)
        complaints = [line for line in bot.log.splitlines() if "No space left" in line]
        about_images = [line for line in complaints if "images are still fetched" in line]
        assert len(about_images) == 1
        assert len(complaints) == 2  # the other says that the key of served URLs cannot be kept
        assert not list(bot.store.rglob("*.png"))
        (bot.folder / "room").touch()
        await peer.send_group(peer.picture(png(seed=9)))
        assert "sha256" in await told(peer)
        assert len(list(bot.store.rglob("*.png"))) == 1


HUGE = "x" * 10_000_000
ODD: list[Any] = [None, 0, -1, 1.5, True, [], {}, [{"a": []}], "", "x", "\x00", "\ud800", HUGE]
FIELDS = ["file", "url", "file_size", "sub_type", "subType", "emoji_id", "summary", "unheard_of"]


async def test_malformed_segments(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    peer = SimulatedPeer("napcat", cdn)
    data = [{}, *({field: value} for field in FIELDS for value in ODD)]
    segments: list[Any] = [{"type": "image", "data": one} for one in data]
    segments += [{"type": "mface", "data": one} for one in data if HUGE not in one.values()]
    settings = {**SHORT, "QQIMAGE__RESOLVE_TIMEOUT": 2}
    async with start_bot(settings=settings) as bot, ReverseWebSocket(peer, bot.ws_url):
        await peer.connected(1, PATIENCE)
        for number, segment in zip(itertools.count(1), segments):
            await peer.push(_message(number, [segment]))
            assert (await told(peer))["error"]
            assert f"SEEN message {number}\n" in bot.log
        await peer.push(_message(10_001, [{"type": "image", "data": {}}] * 3000))
        await bot.wait_for_log("SEEN message 10001")
        await peer.send_group(peer.picture(png()))
        while "sha256" not in await told(peer):  # of one of those, or the short deadlines passed
            await peer.send_group(peer.picture(png()))


@pytest.mark.parametrize(
    "segment",
    [{"type": "image"}, {"type": "image", "data": None}, {"type": None, "data": {}}, 5, None],
    ids=json.dumps,
)
async def test_segments_that_nonebot_itself_refuses(
    start_bot: StartBot, cdn: SimulatedCdn, segment: Any
) -> None:
    """The adapter makes no message event of them; the bot only has to stay up."""
    peer = SimulatedPeer("napcat", cdn)
    async with start_bot() as bot, ReverseWebSocket(peer, bot.ws_url):
        await peer.connected(1, PATIENCE)
        await peer.push(_message(1, [segment]))
        await peer.send_group(peer.picture(png()))
        while "sha256" not in await told(peer):  # of one of those, or the short deadlines passed
            await peer.send_group(peer.picture(png()))


def _message(message_id: int, segments: list[Any]) -> dict[str, Any]:
    return {
        "time": int(time.time()),
        "self_id": 10001,
        "post_type": "message",
        "message_type": "group",
        "sub_type": "normal",
        "message_id": message_id,
        "group_id": 20001,
        "user_id": 30001,
        "sender": {"user_id": 30001, "nickname": "Tester"},
        "font": 0,
        "raw_message": "",
        "message": segments,
    }
