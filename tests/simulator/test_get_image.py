"""How the two implementations that have get_image answer it."""

import base64
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.implementation_files import FileFault
from nonebot_plugin_qqimage.simulator.pictures import PHOTO, qq_name

from .clients import talk
from .conftest import MakeImplementation


async def test_luckylilliabot_downloads_anew_and_napcat_does_not(
    make_implementation: MakeImplementation, cdn: SimulatedCdn
) -> None:
    for flavour, files, downloads in (("luckylilliabot-8", 2, 2), ("napcat", 1, 0)):
        implementation = make_implementation(flavour)
        async with talk(implementation) as client:
            picture = implementation.picture(PHOTO)
            await implementation.send_group(picture)
            answers = [await client.call("get_image", file=picture.name) for _ in range(2)]
            assert len({answer["data"]["file"] for answer in answers}) == files
            assert cdn.fetches(picture.hosted, inside=True) == downloads


@pytest.mark.parametrize(
    ("fault", "content"),
    [
        (FileFault.MISSING, None),
        (FileFault.SHORT, PHOTO[: len(PHOTO) // 2]),
        (FileFault.EMPTY, b""),
    ],
)
async def test_ok_proves_nothing(
    make_implementation: MakeImplementation, fault: FileFault, content: bytes | None
) -> None:
    implementation = make_implementation("napcat")
    async with talk(implementation) as client:
        await implementation.send_group(implementation.picture(PHOTO))
        implementation.files.faults[qq_name(PHOTO)] = fault
        answer = await client.call("get_image", file=qq_name(PHOTO))
        assert answer["status"] == "ok"
        assert _file_of(answer) == content
        implementation.files.faults.clear()
        answer = await client.call("get_image", file=qq_name(PHOTO))
        assert _file_of(answer) == PHOTO


async def test_a_path_may_be_empty(make_implementation: MakeImplementation) -> None:
    implementation = make_implementation("napcat", inline_base64=True)
    async with talk(implementation) as client:
        await implementation.send_group(implementation.picture(PHOTO))
        implementation.files.fault = FileFault.NO_PATH
        answer = await client.call("get_image", file=qq_name(PHOTO))
        assert (answer["status"], answer["data"]["file"]) == ("ok", "")
        assert "base64" not in answer["data"]


@pytest.mark.parametrize("flavour", ["luckylilliabot-8", "luckylilliabot-3.29", "napcat"])
async def test_a_file_may_still_grow(make_implementation: MakeImplementation, flavour: str) -> None:
    implementation = make_implementation(flavour)
    implementation.files.growing_seconds = 0.05
    async with talk(implementation) as client:
        await implementation.send_group(implementation.picture(PHOTO))
        implementation.files.fault = FileFault.GROWING
        answer = await client.call("get_image", file=qq_name(PHOTO))
        assert answer["data"]["file_size"] == str(len(PHOTO))
        assert _file_of(answer) == PHOTO[: len(PHOTO) // 2]
        await implementation.files.grown()
        assert _file_of(answer) == PHOTO


@pytest.mark.parametrize("clear", [True, False])
async def test_asking_again_does_not_disturb_what_grows(
    make_implementation: MakeImplementation, clear: bool
) -> None:
    implementation = make_implementation("napcat", inline_base64=True)
    implementation.files.growing_seconds = 0.05
    async with talk(implementation) as client:
        await implementation.send_group(implementation.picture(PHOTO))
        implementation.files.faults[qq_name(PHOTO)] = FileFault.GROWING
        answers = [await client.call("get_image", file=qq_name(PHOTO))]
        if clear:
            implementation.files.faults.clear()
        answers.append(await client.call("get_image", file=qq_name(PHOTO)))
        await implementation.files.grown()
        answers.append(await client.call("get_image", file=qq_name(PHOTO)))
        sizes = [len(base64.b64decode(answer["data"]["base64"])) for answer in answers]
        assert sizes == [len(PHOTO) // 2, len(PHOTO) // 2, len(PHOTO)]
        assert _file_of(answers[0]) == PHOTO


async def test_a_restart_makes_napcat_forget_and_luckylilliabot_not(
    make_implementation: MakeImplementation,
) -> None:
    for flavour, status in (("napcat", "failed"), ("luckylilliabot-8", "ok")):
        implementation = make_implementation(flavour)
        async with talk(implementation) as client:
            message_id = await implementation.send_group(implementation.picture(PHOTO))
            implementation.restart()
            answer = await client.call("get_image", file=qq_name(PHOTO))
            assert answer["status"] == status
            answer = await client.call("get_msg", message_id=message_id)
            assert answer["status"] == status


async def test_a_key_rotated_early_fools_the_implementation_until_its_announced_end(
    make_implementation: MakeImplementation, cdn: SimulatedCdn
) -> None:
    implementation = make_implementation()
    async with talk(implementation) as client:
        await implementation.send_group(implementation.picture(PHOTO))
        cdn.rotate_keys()
        failed = await client.call("get_image", file=qq_name(PHOTO))
        assert failed["message"].endswith("rkey=GRP1 下载失败, statusText: Bad Request")
        keys = await client.call("get_rkey")
        assert keys["data"]["group_key"] == "&rkey=GRP2"
        cdn.expire_keys()
        answer = await client.call("get_image", file=qq_name(PHOTO))
        assert _file_of(answer) == PHOTO


def _file_of(answer: dict[str, Any]) -> bytes | None:
    path = Path(answer["data"]["file"])
    return path.read_bytes() if path.exists() else None
