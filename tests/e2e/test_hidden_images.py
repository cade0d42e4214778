"""Images where they hide: in forwarded records, as shared files, among what the bot itself sent."""

import hashlib
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import PHOTO, STICKER, png
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

from .conftest import PATIENCE, StartBot, stored, told

ALL = ["luckylilliabot-8", "napcat", "lagrange"]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("flavour", ALL)
@pytest.mark.parametrize("inline", [False, True])
async def test_forwarded_records(
    start_bot: StartBot, cdn: SimulatedCdn, flavour: str, inline: bool
) -> None:
    implementation = SimulatedImplementation(flavour, cdn, expand_forwards=inline)
    inner = implementation.forward([[implementation.picture(STICKER)], "text"])
    pictures = [png(seed=1), PHOTO, STICKER]
    if flavour == "lagrange":  # gives no id that a record inside another could be had by
        pictures.pop()
    record = implementation.forward(
        [[implementation.picture(png(seed=1)), implementation.picture(PHOTO)], [inner]]
    )
    settings = {"QQIMAGE__GET_IMAGE_TIMEOUT": 2}
    async with start_bot("forwards", settings=settings) as bot:
        async with ReverseWebSocket(implementation, bot.ws_url):
            await implementation.connected(1, PATIENCE)
            message = await implementation.send_group(record)
            expected = [sha256(data) for data in pictures]
            got = [(await told(implementation)).get("sha256") for _ in expected]
            assert got == expected
            # and in a quoted message
            await implementation.send_group("what was that?", quote=message)
            got = [(await told(implementation)).get("sha256") for _ in expected]
            assert got == expected


async def test_a_record_that_nobody_knows_any_more(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    async with start_bot("forwards", "ping") as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        message = implementation.message("group", implementation.forward(["text"]))
        implementation.remember(message)
        frame = implementation.flavour.event(message)
        implementation.flavour.lose(message.message_id)
        await implementation.push(frame)
        assert (await implementation.next_sent(PATIENCE)).text == "pong"
        await bot.wait_for_log("get_forward_msg")


@pytest.mark.parametrize("flavour", ["luckylilliabot-8", "napcat"])
async def test_shared_files(
    start_bot: StartBot, cdn: SimulatedCdn, flavour: str, tmp_path: Path
) -> None:
    implementation = SimulatedImplementation(flavour, cdn, file_dir=tmp_path / "implementation")
    async with start_bot() as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        await implementation.send_group(implementation.shared_file(png(), "holiday.PNG"))
        assert (await told(implementation))["sha256"] == sha256(png())
        await implementation.send_group(implementation.shared_file(b"text", "notes.txt"))
        await implementation.send_group(implementation.picture(png(seed=1)))
        assert (await told(implementation))["sha256"] == sha256(png(seed=1))


async def test_shared_files_of_another_host(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("luckylilliabot-8", cdn)
    async with start_bot() as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        await implementation.send_group(implementation.shared_file(png(), "holiday.png"))
        assert (await told(implementation))["source"] == "get_group_file_url"


@pytest.mark.parametrize("flavour", ALL)
@pytest.mark.parametrize("way", ["bytes", "path", "url", "code", "list"])
async def test_own_pictures_need_no_network_later(
    start_bot: StartBot, cdn: SimulatedCdn, flavour: str, way: str, tmp_path
) -> None:
    implementation = SimulatedImplementation(flavour, cdn)
    async with start_bot("speak") as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        (bot.folder / "to_send.png").write_bytes(png())
        (bot.folder / "url").write_text(cdn.url(cdn.add(png())))
        await implementation.send_group(f"/speak {way}")
        sent = await implementation.next_sent(PATIENCE)
        assert sent.pictures == [png()]
        await stored(bot, 1)
        cdn.faults.set(Fault.NOT_FOUND)
        implementation.behaviour.hanging.add("get_image")
        await implementation.send_group("what was that?", quote=sent.message_id)
        answer = await told(implementation)
        assert (answer.get("source"), answer.get("sha256")) == ("store", sha256(png())), answer


async def test_own_pictures_from_another_device(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("napcat", cdn, report_own=True)
    async with start_bot() as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        message = await implementation.send_group(implementation.picture(png()), own=True)
        await stored(bot, 1)
        cdn.faults.set(Fault.NOT_FOUND)
        await implementation.send_group("what was that?", quote=message)
        assert (await told(implementation))["source"] == "store"


async def test_own_pictures_can_be_left_alone(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    settings = {"QQIMAGE__OWN_IMAGES": False}
    async with start_bot("speak", settings=settings) as bot:
        async with ReverseWebSocket(implementation, bot.ws_url):
            await implementation.connected(1, PATIENCE)
            (bot.folder / "to_send.png").write_bytes(png())
            await implementation.send_group("/speak bytes")
            await implementation.next_sent(PATIENCE)
            await implementation.send_group(implementation.picture(PHOTO))
            await told(implementation)
            assert not list(bot.store.rglob("*.png"))


async def test_a_forward_that_the_bot_sends(start_bot: StartBot, cdn: SimulatedCdn) -> None:
    implementation = SimulatedImplementation("napcat", cdn)
    async with start_bot("speak") as bot, ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        (bot.folder / "to_send.png").write_bytes(png())
        await implementation.send_group("/speak forward")
        await implementation.next_sent(PATIENCE)
        await stored(bot, 1)
        await implementation.send_group(implementation.picture(png()))
        assert (await told(implementation))["source"] == "store"
