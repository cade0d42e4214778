"""Whatever goes wrong, events reach their matchers, the bot stays up, and the log says why."""

import itertools
import json
import time
from typing import Any

import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import png
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

from .conftest import PATIENCE, StartBot, stored, told

SHORT = {"QQIMAGE__GET_IMAGE_TIMEOUT": 1, "QQIMAGE__DOWNLOAD_TIMEOUT": 1}


async def test_matchers_do_not_wait_for_get_image(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    implementation.behaviour.hanging.add("get_image")
    async with start_bot("ping") as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        await implementation.send_group(implementation.picture(png()))
        # get_image is never answered, so nobody who waits for it could say this
        assert (await implementation.next_sent(PATIENCE)).text == "pong"


async def test_a_implementation_that_hangs(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    implementation.behaviour.hanging.add("get_image")
    async with start_bot(settings=SHORT) as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        await implementation.send_group(implementation.picture(png()))
        assert (await told(implementation))["source"] == "url of the segment"


async def test_a_implementation_and_an_image_host_that_hang(
    start_bot: StartBot, cdn: SimulatedCdn
) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    implementation.behaviour.hanging.add("get_image")
    cdn.faults.set(Fault.HANG)
    async with start_bot(settings=SHORT) as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        await implementation.send_group(implementation.picture(png()))
        failure = await told(implementation)
        assert failure["error"] == "ImageUnavailable"
        assert "get_image timed out" in failure["text"]
        assert "url of the segment timed out" in failure["text"]
        assert "QQIMAGE__PROXY" in failure["text"]
        lines = [line for line in bot.log.splitlines() if "qqimage: image" in line]
        assert len(lines) == 1, bot.log
        assert "[WARNING]" in lines[0]
        assert "Traceback" not in bot.log


async def test_a_socket_that_drops_in_mid_call(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    implementation.behaviour.dropping.add("get_image")
    async with start_bot(settings=SHORT) as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        message = await implementation.send_group(implementation.picture(png()))
        await bot.wait_for_log(f"SEEN message {message}")
        await implementation.connected(2, PATIENCE)
        # the picture came by its link; only the answer may have found nobody to be sent to
        await stored(bot, 1)
        implementation.behaviour.dropping.clear()
        calls = len(implementation.calls_of("get_image"))
        await implementation.send_group(implementation.picture(png()))
        sources = [(await told(implementation))["source"]]
        if sources[0] != "store":  # that of the first message, sent once the bot was back
            sources.append((await told(implementation))["source"])
        assert sources[-1] == "store"
        assert len(implementation.calls_of("get_image")) == calls
        await implementation.send_group(implementation.picture(png(seed=1)))
        assert (await told(implementation))["source"] == "url in the answer"


@pytest.mark.parametrize("raiser", ["late_raiser", "early_raiser"])
async def test_another_preprocessor_that_raises(
    start_bot: StartBot, cdn: SimulatedCdn, raiser: str
) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    async with start_bot(raiser) as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        picture = implementation.picture(png())
        dropped = await implementation.send_group(
            [*implementation.message("group", "boom").parts, picture]
        )
        # NoneBot itself drops that event for everyone; the next one must be all right
        await bot.wait_for_log("Event ignored")
        assert f"SEEN message {dropped}" not in bot.log
        if raiser == "late_raiser":
            # our work was under way by then, and nobody could stop it
            await stored(bot, 1)
            cdn.expire_keys()
            cdn.faults.set(Fault.EXPIRED)
            implementation.restart()
            await implementation.send_group(implementation.picture(picture.hosted.data))
            assert (await told(implementation))["source"] == "store"
        else:
            await implementation.send_group(picture)
            assert (await told(implementation))["source"] == "url in the answer"


async def test_a_full_disk(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    async with start_bot("full_disk") as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        for seed in range(3):
            await implementation.send_group(implementation.picture(png(seed=seed)))
            assert "sha256" in await told(implementation)
        complaints = [line for line in bot.log.splitlines() if "No space left" in line]
        about_images = [line for line in complaints if "images are still fetched" in line]
        assert len(about_images) == 1
        assert len(complaints) == 2  # the other says that the key of served URLs cannot be kept
        assert not list(bot.store.rglob("*.png"))
        (bot.folder / "room").touch()
        await implementation.send_group(implementation.picture(png(seed=9)))
        assert "sha256" in await told(implementation)
        assert len(list(bot.store.rglob("*.png"))) == 1


HUGE = "x" * 10_000_000
ODD: list[Any] = [None, 0, -1, 1.5, True, [], {}, [{"a": []}], "", "x", "\x00", "\ud800", HUGE]
FIELDS = ["file", "url", "file_size", "sub_type", "subType", "emoji_id", "summary", "unheard_of"]


async def test_malformed_segments(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    data = [{}, *({field: value} for field in FIELDS for value in ODD)]
    segments: list[Any] = [{"type": "image", "data": one} for one in data]
    segments += [{"type": "mface", "data": one} for one in data if HUGE not in one.values()]
    settings = {**SHORT, "QQIMAGE__RESOLVE_TIMEOUT": 2}
    async with start_bot(settings=settings) as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        for number, segment in zip(itertools.count(1), segments):
            await implementation.push(_message(number, [segment]))
            assert (await told(implementation))["error"]
            assert f"SEEN message {number}\n" in bot.log
        await implementation.push(_message(10_001, [{"type": "image", "data": {}}] * 3000))
        await bot.wait_for_log("SEEN message 10001")
        await implementation.send_group(implementation.picture(png()))
        while "sha256" not in await told(
            implementation
        ):  # of one of those, or the short deadlines passed
            await implementation.send_group(implementation.picture(png()))


@pytest.mark.parametrize(
    "segment",
    [{"type": "image"}, {"type": "image", "data": None}, {"type": None, "data": {}}, 5, None],
    ids=json.dumps,
)
async def test_segments_that_nonebot_itself_refuses(
    start_bot: StartBot, cdn: SimulatedCdn, segment: Any
) -> None:
    """The adapter makes no message event of them; the bot only has to stay up."""
    implementation = SimulatedImplementation("napcat", cdn)
    async with start_bot() as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        await implementation.push(_message(1, [segment]))
        await implementation.send_group(implementation.picture(png()))
        while "sha256" not in await told(
            implementation
        ):  # of one of those, or the short deadlines passed
            await implementation.send_group(implementation.picture(png()))


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
