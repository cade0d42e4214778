"""Whatever goes wrong, events reach their matchers, the bot stays up, and the log says why."""

import itertools
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation

from .bots import (
    PATIENCE,
    SharedBot,
    Simulate,
    connected,
    files,
    new_png,
    pngs,
    sha256,
    started,
    stored,
    told,
    watched,
)

SHORT = {
    "QQIMAGE__GET_IMAGE_TIMEOUT": 1,
    "QQIMAGE__DOWNLOAD_TIMEOUT": 1,
    "QQIMAGE__RESOLVE_TIMEOUT": 4,
}


@pytest.fixture(scope="module")
async def hasty_process(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SharedBot]:
    folder = tmp_path_factory.mktemp("hasty") / "bot"
    async with started(folder, "ping", "late_raiser", "early_raiser", settings=SHORT) as bot:
        yield bot


@pytest.fixture
def hasty(hasty_process: SharedBot) -> Iterator[SharedBot]:
    """A bot that does not wait long for anything."""
    yield from watched(hasty_process)


async def test_an_implementation_that_hangs(
    hasty: SharedBot, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    async with connected(simulate("napcat"), hasty) as implementation:
        implementation.behaviour.hanging.add("get_image")
        await implementation.send_group(["ping", implementation.picture(new_png())])
        assert (await implementation.next_sent(PATIENCE)).text == "pong"
        assert not cdn.requests  # for which get_image has to time out: no matcher waits for it
        assert (await told(implementation))["source"] == "url of the segment"


async def test_an_implementation_and_an_image_host_that_hang(
    hasty: SharedBot, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    async with connected(simulate("napcat"), hasty) as implementation:
        implementation.behaviour.hanging.add("get_image")
        cdn.faults.set(Fault.HANG)
        await implementation.send_group(implementation.picture(new_png()))
        failure = await told(implementation)
        assert failure["error"] == "ImageUnavailable"
        assert "get_image timed out" in failure["text"]
        assert "url of the segment timed out" in failure["text"]
        assert "QQIMAGE__PROXY" in failure["text"]
        lines = [line for line in hasty.log.splitlines() if "qqimage: image" in line]
        assert len(lines) == 1, hasty.log
        assert "[WARNING]" in lines[0]
        assert "Traceback" not in hasty.log


async def test_a_socket_that_drops_in_mid_call(hasty: SharedBot, simulate: Simulate) -> None:
    async with connected(simulate("napcat"), hasty) as implementation:
        implementation.behaviour.dropping.add("get_image")
        data = new_png()
        message = await implementation.send_group(implementation.picture(data))
        await hasty.wait_for_log(f"SEEN message {message}")
        await implementation.connected(2, PATIENCE)
        # the picture came by its link; only the answer may have found nobody to be sent to
        await stored(hasty, data)
        implementation.behaviour.dropping.clear()
        calls = len(implementation.calls_of("get_image"))
        await implementation.send_group(implementation.picture(data))
        sources = [(await told(implementation))["source"]]
        if sources[0] != "store":  # that of the first message, sent once the bot was back
            sources.append((await told(implementation))["source"])
        assert sources[-1] == "store"
        assert len(implementation.calls_of("get_image")) == calls
        await implementation.send_group(implementation.picture(new_png()))
        assert (await told(implementation))["source"] == "url in the answer"


@pytest.mark.parametrize("raiser", ["late", "early"])
async def test_another_preprocessor_that_raises(
    hasty: SharedBot, simulate: Simulate, cdn: SimulatedCdn, raiser: str
) -> None:
    async with connected(simulate("napcat"), hasty) as implementation:
        picture = implementation.picture(new_png())
        dropped = await implementation.send_group([f"{raiser} boom", picture])
        # NoneBot itself drops that event for everyone; the next one must be all right
        await hasty.wait_for_log("Event ignored")
        assert f"SEEN message {dropped}" not in hasty.log
        if raiser == "late":
            # our work was under way by then, and nobody could stop it
            await stored(hasty, picture.hosted.data)
            cdn.expire_keys()
            cdn.faults.set(Fault.EXPIRED)
            implementation.restart()
            await implementation.send_group(implementation.picture(picture.hosted.data))
            assert (await told(implementation))["source"] == "store"
        else:
            await implementation.send_group(picture)
            assert (await told(implementation))["sha256"] == sha256(picture.hosted.data)


async def test_a_full_disk(simulate: Simulate, tmp_path: Path) -> None:
    async with (
        started(tmp_path / "bot", "full_disk") as bot,
        connected(simulate("napcat"), bot) as implementation,
    ):
        for _ in range(3):
            await implementation.send_group(implementation.picture(new_png()))
            assert "sha256" in await told(implementation)
        complaints = [line for line in bot.log.splitlines() if "No space left" in line]
        about_images = [line for line in complaints if "images are still fetched" in line]
        assert len(about_images) == 1
        assert len(complaints) == 2  # the other says that the key of served URLs cannot be kept
        assert not pngs(bot.store)
        (bot.folder / "room").touch()
        data = new_png()
        await implementation.send_group(implementation.picture(data))
        assert "sha256" in await told(implementation)
        await stored(bot, data)
        assert len(files(bot, data)) == 1


HUGE = "x" * 2_000_000
ODD: list[Any] = [None, 0, -1, 1.5, True, [], {}, [{"a": []}], "", "x", "\x00", "\ud800", HUGE]
FIELDS = ["file", "url", "file_size", "sub_type", "subType", "emoji_id", "summary", "unheard_of"]


async def test_malformed_segments(hasty: SharedBot, simulate: Simulate) -> None:
    data = [{}, *({field: value} for field in FIELDS for value in ODD)]
    segments: list[Any] = [{"type": "image", "data": one} for one in data]
    segments += [{"type": "mface", "data": one} for one in data if HUGE not in one.values()]
    async with connected(simulate("napcat"), hasty) as implementation:
        for number, segment in zip(itertools.count(1), segments):
            await implementation.push(_message(implementation, number, [segment]))
            assert (await told(implementation))["error"]
        many = [{"type": "image", "data": {}}] * 1000
        await implementation.push(_message(implementation, 10_001, many))
        await hasty.wait_for_log("SEEN message 10001")
        log = hasty.log
        assert all(f"SEEN message {number + 1}\n" in log for number in range(len(segments)))
        await _works(implementation)


@pytest.mark.parametrize(
    "segment",
    [{"type": "image"}, {"type": "image", "data": None}, {"type": None, "data": {}}, 5, None],
    ids=json.dumps,
)
async def test_segments_that_nonebot_itself_refuses(
    common: SharedBot, simulate: Simulate, segment: Any
) -> None:
    """The adapter makes no message event of them; the bot only has to stay up."""
    async with connected(simulate("napcat"), common) as implementation:
        await implementation.push(_message(implementation, 1, [segment]))
        await _works(implementation)


async def _works(implementation: SimulatedImplementation) -> None:
    """Send pictures until one arrives: what came before it may still be answered."""
    await implementation.send_group(implementation.picture(new_png()))
    while "sha256" not in await told(implementation):
        await implementation.send_group(implementation.picture(new_png()))


def _message(
    implementation: SimulatedImplementation, message_id: int, segments: list[Any]
) -> dict[str, Any]:
    return {
        "time": int(time.time()),
        "self_id": implementation.settings.self_id,
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
