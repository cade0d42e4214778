"""Images where they hide: in forwarded records, as shared files, among what the bot itself sent."""

from pathlib import Path

import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.pictures import PHOTO, STICKER

from .bots import (
    PATIENCE,
    SharedBot,
    Simulate,
    connected,
    fresh,
    new_png,
    sha256,
    stored,
    told,
)

ALL = ["luckylilliabot-8", "napcat", "snowluma", "lagrange"]


@pytest.mark.parametrize("flavour", ALL)
@pytest.mark.parametrize("inline", [False, True])
async def test_forwarded_records(
    common: SharedBot, simulate: Simulate, flavour: str, inline: bool
) -> None:
    implementation = simulate(flavour, expand_forwards=inline)
    pictures = [new_png(), fresh(PHOTO), fresh(STICKER)]
    outer, other, sticker = map(implementation.picture, pictures)
    if flavour == "lagrange":  # gives no id that a record inside another could be had by
        pictures.pop()
    inner = implementation.forward([[sticker], "text"])
    record = implementation.forward([[outer, other], [inner]])
    async with connected(implementation, common):
        message = await implementation.send_group(record)
        expected = [sha256(data) for data in pictures]
        got = [(await told(implementation)).get("sha256") for _ in expected]
        assert got == expected
        # and in a quoted message
        await implementation.send_group("what was that?", quote=message)
        got = [(await told(implementation)).get("sha256") for _ in expected]
        assert got == expected


async def test_a_record_that_nobody_knows_any_more(common: SharedBot, simulate: Simulate) -> None:
    async with connected(simulate("napcat"), common) as implementation:
        record = implementation.forward(["text"])
        message = implementation.message("group", ["ping", record])
        implementation.remember(message)
        frame = implementation.flavour.event(message)
        implementation.flavour.lose(message.message_id)
        await implementation.push(frame)
        assert (await implementation.next_sent(PATIENCE)).text == "pong"
        await common.wait_for_log("get_forward_msg")


@pytest.mark.parametrize("flavour", ["luckylilliabot-8", "napcat"])
async def test_shared_files(
    common: SharedBot, simulate: Simulate, flavour: str, tmp_path: Path
) -> None:
    async with connected(simulate(flavour, file_dir=tmp_path), common) as implementation:
        shared, other = new_png(), new_png()
        await implementation.send_group(implementation.shared_file(shared, "holiday.PNG"))
        assert (await told(implementation))["sha256"] == sha256(shared)
        await implementation.send_group(implementation.shared_file(b"text", "notes.txt"))
        await implementation.send_group(implementation.picture(other))
        assert (await told(implementation))["sha256"] == sha256(other)


async def test_shared_files_of_another_host(common: SharedBot, simulate: Simulate) -> None:
    async with connected(simulate("luckylilliabot-8"), common) as implementation:
        await implementation.send_group(implementation.shared_file(new_png(), "holiday.png"))
        assert (await told(implementation))["source"] == "get_group_file_url"


@pytest.mark.parametrize("flavour", ALL)
@pytest.mark.parametrize("way", ["bytes", "path", "url", "code", "list"])
async def test_own_pictures_need_no_network_later(
    common: SharedBot, simulate: Simulate, cdn: SimulatedCdn, flavour: str, way: str
) -> None:
    async with connected(simulate(flavour), common) as implementation:
        data = new_png()
        (common.folder / "to_send.png").write_bytes(data)
        (common.folder / "url").write_text(cdn.url(cdn.add(data)))
        await implementation.send_group(f"/speak {way}")
        sent = await implementation.next_sent(PATIENCE)
        assert sent.pictures == [data]
        await stored(common, data)
        cdn.faults.set(Fault.NOT_FOUND)
        implementation.behaviour.hanging.add("get_image")
        await implementation.send_group("what was that?", quote=sent.message_id)
        answer = await told(implementation)
        # SnowLuma tells of the message with the picture that the bot has put into it
        assert answer.get("source") in ("store", "base64 in the segment"), answer
        assert answer["sha256"] == sha256(data)


async def test_own_pictures_from_another_device(
    common: SharedBot, simulate: Simulate, cdn: SimulatedCdn
) -> None:
    async with connected(simulate("napcat", report_own=True), common) as implementation:
        data = new_png()
        message = await implementation.send_group(implementation.picture(data), own=True)
        await stored(common, data)
        cdn.faults.set(Fault.NOT_FOUND)
        await implementation.send_group("what was that?", quote=message)
        assert (await told(implementation))["source"] == "store"


async def test_a_forward_that_the_bot_sends(common: SharedBot, simulate: Simulate) -> None:
    async with connected(simulate("napcat"), common) as implementation:
        data = new_png()
        (common.folder / "to_send.png").write_bytes(data)
        await implementation.send_group("/speak forward")
        await implementation.next_sent(PATIENCE)
        await stored(common, data)
        await implementation.send_group(implementation.picture(data))
        assert (await told(implementation))["source"] == "store"
