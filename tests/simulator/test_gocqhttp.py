"""How go-cqhttp differs from all others."""

from pathlib import Path
from typing import Any

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.pictures import PHOTO, STICKER, png

from .clients import SocketClient, talk
from .conftest import MakeImplementation


async def _images(client: SocketClient) -> list[dict[str, Any]]:
    return [segment["data"] for segment in (await client.event())["message"]]


async def test_get_image_has_fields_of_its_own(
    make_implementation: MakeImplementation, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    async with talk(
        implementation := make_implementation("gocqhttp", inline_base64=True)
    ) as client:
        picture = implementation.picture(PHOTO)
        message_id = await implementation.send_group(picture)
        (image,) = await _images(client)
        md5 = picture.hosted.md5
        assert image["file"] == f"{md5}.image"
        answer = await client.call("get_image", file=image["file"])
        data = answer["data"]
        assert list(data) == ["size", "filename", "url", "file"]
        assert data["file"] == f"data/cache/{md5}.image.jpg"
        assert (tmp_path / data["file"]).read_bytes() == PHOTO
        assert data["size"] == len(PHOTO)
        assert data["url"] == image["url"]
        assert data["filename"].replace("-", "") == f"{{{md5.upper()}}}.jpg"
        implementation.restart()
        cdn.expire_keys()
        assert await client.call("get_image", file=image["file"]) == answer
        assert cdn.fetches(picture.hosted, inside=True) == 1
        (segment,) = (await client.call("get_msg", message_id=message_id))["data"]["message"]
        assert segment["data"] == image


async def test_an_error_is_kept_for_ever(
    make_implementation: MakeImplementation, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    async with talk(implementation := make_implementation("gocqhttp")) as client:
        picture = implementation.picture(PHOTO)
        await implementation.send_group(picture)
        file = f"{picture.hosted.md5}.image"
        cdn.faults.set(Fault.EXPIRED, times=1)
        for _ in range(2):
            answer = await client.call("get_image", file=file)
            assert answer["status"] == "ok"
            assert b"download url has expired" in (tmp_path / answer["data"]["file"]).read_bytes()


async def test_half_a_download_is_enough_the_second_time(
    make_implementation: MakeImplementation, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    async with talk(implementation := make_implementation("gocqhttp")) as client:
        assert implementation.flavour.patience == 15
        picture = implementation.picture(PHOTO)
        await implementation.send_group(picture)
        cdn.faults.set(Fault.TRUNCATED)
        failed = await client.call("get_image", file=f"{picture.hosted.md5}.image")
        assert (failed["retcode"], failed["msg"]) == (100, "DOWNLOAD_IMAGE_ERROR")
        answer = await client.call("get_image", file=f"{picture.hosted.md5}.image")
        assert PHOTO.startswith((tmp_path / answer["data"]["file"]).read_bytes())
        assert answer["data"]["size"] == len(PHOTO)


async def test_refusals(make_implementation: MakeImplementation) -> None:
    failed = {"status": "failed", "data": None}
    async with talk(make_implementation("gocqhttp")) as client:
        unknown = await client.call("get_image", file=f"{'0' * 32}.image")
        assert unknown == {**failed, "retcode": 100, "msg": "", "wording": "", "message": ""}
        lost = await client.call("get_msg", message_id=1)
        assert (lost["retcode"], lost["msg"], lost["wording"]) == (
            100,
            "MSG_NOT_FOUND",
            "消息不存在",
        )
        missing = await client.call("get_rkey")
        assert (missing["retcode"], missing["msg"]) == (404, "API_NOT_FOUND")


async def test_segments(make_implementation: MakeImplementation) -> None:
    async with talk(implementation := make_implementation("gocqhttp")) as client:
        sticker, flash = (
            implementation.picture(STICKER, sticker=True),
            implementation.picture(PHOTO, flash=True),
        )
        await implementation.send_group([sticker, flash])
        event = await client.event()
        first, second = [segment["data"] for segment in event["message"]]
        assert (first["subType"], second["subType"]) == ("1", "0")
        assert ("type" in first, second["type"]) == (False, "flash")
        assert ",subType=1,url=http" in event["raw_message"]
        implementation.flavour.numeric_sub_type = True
        await implementation.send_group(sticker)
        assert (await _images(client))[0]["subType"] == 1
        await implementation.send_private(implementation.picture(PHOTO, kind="private"))
        assert list((await _images(client))[0]) == ["file", "url"]
        await implementation.send_group(implementation.market_face())
        assert (await client.event())["message"] == [{"type": "text", "data": {"text": "[你好]"}}]


async def test_forwards_hold_those_inside_them(
    make_implementation: MakeImplementation, cdn: SimulatedCdn, tmp_path: Path
) -> None:
    async with talk(implementation := make_implementation("gocqhttp")) as client:
        inner = implementation.forward([implementation.picture(png(8, 8)), "end"])
        outer = implementation.forward([implementation.picture(PHOTO), inner])
        await implementation.send_group(outer)
        assert (await client.event())["message"][0]["data"] == {"id": outer.forward_id}
        got = await client.call("get_forward_msg", id=outer.forward_id)
        first, second = got["data"]["messages"]
        assert set(first) == {"content", "group_id", "sender", "time"}
        assert first["content"][0]["type"] == "image"
        deep, end = second["content"]
        assert end["content"] == [{"type": "text", "data": {"text": "end"}}]
        answer = await client.call("get_image", file=deep["content"][0]["data"]["file"])
        assert (tmp_path / answer["data"]["file"]).read_bytes() == png(8, 8)
        assert (await client.call("get_forward_msg", id=inner.forward_id))["retcode"] == 100


async def test_own_messages(make_implementation: MakeImplementation) -> None:
    async with talk(implementation := make_implementation("gocqhttp", report_own=True)) as client:
        await implementation.send_private(implementation.picture(PHOTO, kind="private"), own=True)
        event = await client.event()
        assert (event["post_type"], event["target_id"]) == ("message_sent", 30001)
