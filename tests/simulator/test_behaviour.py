"""What a test can make an implementation do with calls."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.simulator.behaviour import MessageFault
from nonebot_plugin_qqimage.simulator.flavours import FLAVOURS
from nonebot_plugin_qqimage.simulator.implementation_files import FileFault
from nonebot_plugin_qqimage.simulator.pictures import PHOTO, STICKER, qq_name
from nonebot_plugin_qqimage.simulator.transports.forward_ws import ForwardWebSocket

from .clients import SocketClient, talk
from .conftest import MakeImplementation


def _file_of(answer: dict[str, Any]) -> bytes | None:
    path = Path(answer["data"]["file"])
    return path.read_bytes() if path.exists() else None


@pytest.mark.parametrize("flavour", ["luckylilliabot-8", "napcat", "snowluma", "lagrange"])
async def test_keys_may_be_missing_refused_or_never_come(
    make_implementation: MakeImplementation, flavour: str
) -> None:
    implementation = make_implementation(flavour)
    async with talk(implementation) as client:
        unknown = await client.call("no_such_action")
        assert (await client.call("get_rkey"))["status"] == "ok"
        implementation.behaviour.missing.add("get_rkey")
        missing = await client.call("get_rkey")
        assert (missing["status"], missing["retcode"]) == ("failed", unknown["retcode"])
        assert missing["retcode"] in (404, 1404)
        implementation.behaviour.missing.clear()
        implementation.answers["get_rkey"] = implementation.refusal("no keys")
        assert (await client.call("get_rkey"))["retcode"] in (100, 200, 1200)
        implementation.behaviour.hanging.add("get_rkey")
        with pytest.raises(asyncio.TimeoutError):
            await client.call("get_rkey", 0.02)


async def test_one_action_of_napcat_never_answers(make_implementation: MakeImplementation) -> None:
    async with talk(make_implementation("napcat")) as client:
        with pytest.raises(asyncio.TimeoutError):
            await client.call("nc_get_rkey", 0.05)
        assert (await client.call("get_rkey"))["status"] == "ok"


async def test_a_delay_and_serial_answers(make_implementation: MakeImplementation) -> None:
    implementation = make_implementation()
    implementation.behaviour.delays["get_image"] = 0.05
    async with talk(implementation) as client:
        for serial, first in ((False, "get_status"), (True, "get_image")):
            implementation.behaviour.serial = serial
            ended: list[str] = []

            async def call(action: str, ended: list[str] = ended) -> None:
                await client.call(action, file="x")
                ended.append(action)

            await asyncio.gather(call("get_image"), call("get_status"))
            assert ended[0] == first


async def test_some_files_are_never_answered(make_implementation: MakeImplementation) -> None:
    implementation = make_implementation("luckylilliabot-8")
    implementation.behaviour.hanging_files.add(qq_name(PHOTO))
    async with talk(implementation) as client:
        await implementation.send_group(
            [implementation.picture(PHOTO), implementation.picture(STICKER)]
        )
        for action in ("get_image", "get_file"):
            with pytest.raises(asyncio.TimeoutError):
                await client.call(action, 0.05, file=qq_name(PHOTO))
            assert (await client.call(action, file=qq_name(STICKER)))["status"] == "ok"


async def test_napcat_and_what_is_in_forwarded_records(
    make_implementation: MakeImplementation,
) -> None:
    implementation = make_implementation("napcat", expand_forwards=True)
    async with talk(implementation) as client:
        await implementation.send_group(implementation.forward([implementation.picture(PHOTO)]))
        await client.event()
        with pytest.raises(asyncio.TimeoutError):
            await client.call("get_image", 0.05, file=qq_name(PHOTO))
        implementation.flavour.forwarded_unknown = True
        assert (await client.call("get_image", file=qq_name(PHOTO)))["message"] == "file not found"


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("fault", MessageFault)
async def test_what_get_msg_says_wrongly(
    make_implementation: MakeImplementation, flavour: str, fault: MessageFault
) -> None:
    implementation = make_implementation(flavour)
    async with talk(implementation) as client:
        message_id = await implementation.send_group(implementation.picture(PHOTO))
        implementation.behaviour.message_fault = fault
        if fault is MessageFault.SILENT:
            with pytest.raises(asyncio.TimeoutError):
                await client.call("get_msg", 0.05, message_id=message_id)
            return
        answer = await client.call("get_msg", message_id=message_id)
        if fault is MessageFault.REFUSED:
            assert answer["status"] == "failed"
            return
        data = answer["data"]
        assert ("message_id" in data) == (fault is not MessageFault.NO_ID)
        assert (data["message"] == []) == (fault is MessageFault.NO_CONTENT)
        assert (data["sender"].get("level") == 1) == (fault is MessageFault.NUMERIC_LEVEL)


async def test_two_messages_may_have_one_id(make_implementation: MakeImplementation) -> None:
    implementation = make_implementation("lagrange")
    async with talk(implementation) as client:
        for text in ("first", "second"):
            implementation.next_message_id = 5
            await implementation.send_group(text)
            event = await client.event()
            assert (event["message_id"], event["raw_message"]) == (5, text)
        again = await client.call("get_msg", message_id=5)
        assert again["data"]["message"][0]["data"]["text"] == "second"


async def test_a_clock_of_its_own(make_implementation: MakeImplementation) -> None:
    implementation = make_implementation()
    implementation.clock_ahead = -10.5
    async with ForwardWebSocket(implementation) as server, SocketClient(server.url) as client:
        await implementation.send_group("text")
        for event in (await client.event(), await client.event()):
            assert isinstance(event["time"], int)
            assert 9 < time.time() - event["time"] < 15


async def test_inlining_is_switched_on(make_implementation: MakeImplementation) -> None:
    implementation = make_implementation("napcat")
    async with talk(implementation) as client:
        await implementation.send_group(implementation.picture(PHOTO))
        for inline in (True, False):
            implementation.set_up(inline_base64=inline)
            answer = await client.call("get_image", file=qq_name(PHOTO))
            assert ("base64" in answer["data"]) == inline
    assert implementation.settings.inline_base64 is False


async def test_a_folder_that_is_shared_later(
    make_implementation: MakeImplementation, tmp_path: Path
) -> None:
    implementation = make_implementation("luckylilliabot-8", file_dir=tmp_path / "host")
    async with talk(implementation) as client:
        await implementation.send_group(implementation.picture(PHOTO))
        await implementation.files.hide()
        first = await client.call("get_image", file=qq_name(PHOTO))
        assert _file_of(first) is None
        await implementation.files.show()
        assert _file_of(first) == PHOTO
        assert _file_of(await client.call("get_image", file=qq_name(PHOTO))) == PHOTO


async def test_ok_for_a_web_page(make_implementation: MakeImplementation) -> None:
    implementation = make_implementation("napcat")
    implementation.files.faults[qq_name(PHOTO)] = FileFault.HTML
    async with talk(implementation) as client:
        await implementation.send_group(implementation.picture(PHOTO))
        content = _file_of(await client.call("get_image", file=qq_name(PHOTO)))
        assert content is not None
        assert content.startswith(b"<html>")


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_the_last_messages_of_a_chat(
    make_implementation: MakeImplementation, flavour: str
) -> None:
    implementation = make_implementation(flavour)
    async with talk(implementation) as client:
        for text in "abc":
            await implementation.send_group(text)
        await implementation.send_group("elsewhere", group_id=20002)
        await implementation.send_private("hello")
        answer = await client.call("get_group_msg_history", group_id=20001, count=2)
        texts = [one["message"][0]["data"]["text"] for one in answer["data"]["messages"]]
        assert texts == ["b", "c"]
        answer = await client.call("get_friend_msg_history", user_id=30001)
        assert len(answer["data"]["messages"]) == 1
