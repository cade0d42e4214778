"""What a test can make an implementation do with calls."""

import asyncio
from typing import Any

import pytest

from .clients import talk
from .conftest import MakeImplementation


async def test_any_frame_can_be_pushed(make_implementation: MakeImplementation) -> None:
    implementation = make_implementation()
    async with talk(implementation) as client:
        await implementation.push({"post_type": "message", "message": 5})
        assert await client.event() == {"post_type": "message", "message": 5}


async def test_calls_are_logged(make_implementation: MakeImplementation) -> None:
    implementation = make_implementation()
    async with talk(implementation) as client:
        await client.call("get_image", file="x.jpg", _timeout=5)
        await client.call("get_status")
        assert [call.action for call in implementation.calls] == ["get_image", "get_status"]
        await implementation.called("get_image")
        with pytest.raises(asyncio.TimeoutError):
            await implementation.called("get_image", 2, timeout=0.01)
        (call,) = implementation.calls_of("get_image")
        assert call.params == {"file": "x.jpg", "_timeout": 5}


async def test_a_scripted_answer(make_implementation: MakeImplementation) -> None:
    implementation = make_implementation()

    async def answer(params: dict[str, Any]) -> dict[str, Any]:
        return {"status": "async", "data": params["file"]}

    async with talk(implementation) as client:
        implementation.answers["get_image"] = {"status": "ok", "data": None}
        assert await client.call("get_image") == {"status": "ok", "data": None}
        implementation.answers["get_image"] = answer
        assert await client.call("get_image", file="x") == {"status": "async", "data": "x"}
        implementation.answers["get_image"] = lambda params: implementation.flavour.ok(params)
        assert (await client.call("get_image", file="x"))["data"] == {"file": "x"}
        implementation.answers["get_image"] = implementation.refusal("no luck")
        assert (await client.call("get_image", file="x"))["message"] == "no luck"
        del implementation.answers["get_image"]
        assert (await client.call("get_image", file="x"))["message"] == "file not found"


async def test_one_action_hangs_and_others_do_not(make_implementation: MakeImplementation) -> None:
    implementation = make_implementation()
    implementation.behaviour.hanging.add("get_image")
    async with talk(implementation) as client:
        with pytest.raises(asyncio.TimeoutError):
            await client.call("get_image", 0.05, file="x")
        assert (await client.call("get_login_info"))["data"]["user_id"] == 10001


@pytest.mark.parametrize("flavour", ["luckylilliabot-8", "napcat", "lagrange"])
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
        assert (await client.call("get_rkey"))["retcode"] in (200, 1200)
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


async def test_a_connection_breaks_in_the_middle_of_a_call(
    make_implementation: MakeImplementation,
) -> None:
    implementation = make_implementation()
    implementation.behaviour.dropping.add("get_image")
    async with talk(implementation) as client:
        with pytest.raises(asyncio.CancelledError):
            await client.call("get_image", file="x")
        assert (await client.ended())[0] == 1006
        assert not implementation.links.open
