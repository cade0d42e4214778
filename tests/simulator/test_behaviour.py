"""What a test can make an implementation do with calls."""

import asyncio

import pytest

from .clients import talk
from .conftest import MakeImplementation


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
