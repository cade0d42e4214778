"""How LLOneBot differed in earlier years, and what it shares with go-cqhttp."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.pictures import ANIMATION, PHOTO, STICKER, qq_name

from .clients import SocketClient, talk
from .conftest import MakeImplementation

OLD, MIDDLE = "luckylilliabot-3.24", "luckylilliabot-3.29"


async def _images(client: SocketClient) -> list[dict[str, Any]]:
    segments = (await client.event())["message"]
    return [segment["data"] for segment in segments if segment["type"] == "image"]


def _file_of(answer: dict[str, Any]) -> bytes | None:
    path = Path(answer["data"]["file"])
    return path.read_bytes() if path.exists() else None


@pytest.mark.parametrize(
    ("flavour", "version", "expected"),
    [
        (OLD, None, ("LLOneBot", "3.24.3")),
        (OLD, "3.28.0", ("LLOneBot", "3.28.0")),
        (MIDDLE, None, ("LLOneBot", "4.9.0")),
        ("gocqhttp", None, ("go-cqhttp", "v1.2.0")),
        ("snowluma", None, ("SnowLuma", "1.11.1-node")),
    ],
)
async def test_each_says_what_it_is(
    make_implementation: MakeImplementation,
    flavour: str,
    version: str | None,
    expected: tuple[str, str],
) -> None:
    async with talk(make_implementation(flavour, version=version)) as client:
        said = (await client.call("get_version_info"))["data"]
        assert (said["app_name"], said["app_version"]) == expected


@pytest.mark.parametrize(
    ("version", "keys"),
    [
        (None, ["file", "url", "file_size"]),
        ("3.27.0", ["file", "subType", "url", "file_size"]),
    ],
)
async def test_3_24_a_segment(
    make_implementation: MakeImplementation, version: str | None, keys: list[str]
) -> None:
    async with talk(implementation := make_implementation(OLD, version=version)) as client:
        await implementation.send_group(implementation.picture(PHOTO))
        (image,) = await _images(client)
        assert list(image) == keys
        assert (image["file"], image["file_size"]) == (qq_name(PHOTO), str(len(PHOTO)))


async def test_3_24_downloads_the_url_the_picture_came_with(
    make_implementation: MakeImplementation, cdn: SimulatedCdn
) -> None:
    async with talk(implementation := make_implementation(OLD, inline_base64=True)) as client:
        picture = implementation.picture(PHOTO)
        message_id = await implementation.send_group(picture)
        (image,) = await _images(client)
        cdn.expire_keys()
        stale = await client.call("get_image", file=picture.name)
        assert stale["status"] == "ok"
        assert _file_of(stale) is None
        assert stale["data"]["file"].endswith(f"/Ori/{picture.hosted.md5}.jpg")
        assert stale["data"]["url"] == image["url"]
        assert "base64" not in stale["data"]
        await client.call("get_msg", message_id=message_id)
        fresh = await client.call("get_image", file=picture.name)
        assert _file_of(fresh) == PHOTO
        assert fresh["data"]["url"] != image["url"]
        again = await client.call("get_image", file=picture.name)
        assert again == fresh
        assert cdn.fetches(picture.hosted, inside=True) == 2


async def test_3_24_keeps_a_web_page_for_a_picture(
    make_implementation: MakeImplementation, cdn: SimulatedCdn
) -> None:
    async with talk(implementation := make_implementation(OLD)) as client:
        cdn.faults.set(Fault.HTML, times=1)
        await implementation.send_group(implementation.picture(PHOTO))
        for _ in range(2):
            page = _file_of(await client.call("get_image", file=qq_name(PHOTO)))
            assert page is not None
            assert page.startswith(b"<html>")


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.TRUNCATED, Fault.HANG, Fault.NOT_FOUND])
async def test_3_24_hides_every_failure(
    make_implementation: MakeImplementation, cdn: SimulatedCdn, fault: Fault
) -> None:
    async with talk(implementation := make_implementation(OLD)) as client:
        implementation.flavour.patience = 0.01
        cdn.faults.set(fault)
        await implementation.send_group(implementation.picture(PHOTO))
        answer = await client.call("get_image", file=qq_name(PHOTO))
        assert (answer["status"], _file_of(answer)) == ("ok", None)


async def test_3_24_without_urls(make_implementation: MakeImplementation) -> None:
    async with talk(implementation := make_implementation(OLD, inline_base64=True)) as client:
        implementation.flavour.no_urls = True
        await implementation.send_group(
            [implementation.picture(PHOTO), implementation.picture(STICKER, form="old")]
        )
        image, old = await _images(client)
        assert image["url"] == ""
        assert old["url"]
        nothing = await client.call("get_image", file=qq_name(PHOTO))
        assert "ENOENT" in nothing["message"]
        implementation.flavour.seen_in_qq.add(qq_name(PHOTO))
        answer = await client.call("get_image", file=qq_name(PHOTO))
        assert (answer["data"]["url"], _file_of(answer)) == ("", PHOTO)
        assert base64.b64decode(answer["data"]["base64"]) == PHOTO


@pytest.mark.parametrize(("version", "urls"), [("3.24.2", 1), ("3.24.3", 2)])
async def test_3_24_gave_all_pictures_of_a_message_one_url(
    make_implementation: MakeImplementation, version: str, urls: int
) -> None:
    async with talk(implementation := make_implementation(OLD, version=version)) as client:
        await implementation.send_group(
            [implementation.picture(PHOTO), implementation.picture(ANIMATION)]
        )
        images = await _images(client)
        assert [image["file"] for image in images] == [qq_name(PHOTO), qq_name(ANIMATION)]
        assert len({image["url"] for image in images}) == urls
        answer = await client.call("get_image", file=qq_name(ANIMATION))
        assert _file_of(answer) == (PHOTO if urls == 1 else ANIMATION)
        implementation.flavour.one_url = not implementation.flavour.one_url
        await implementation.send_group(
            [implementation.picture(PHOTO), implementation.picture(ANIMATION)]
        )
        assert len({image["url"] for image in await _images(client)}) != urls


async def test_3_24_refuses_with_a_stack_trace(make_implementation: MakeImplementation) -> None:
    async with talk(implementation := make_implementation(OLD)) as client:
        for params in ({"file": "x.jpg"}, {"file": 5}, {}):
            answer = await client.call("get_image", **params)
            assert answer["retcode"] == 1200
            first, *trace = answer["message"].splitlines()
            assert first == "Error: file not found"
            assert all(line.startswith("    at ") for line in trace)
            assert len(trace) > 1
        unknown = await client.call("get_rkey")
        assert (unknown["retcode"], unknown["message"]) == (1404, "不支持的api get_rkey")
        await implementation.send_group(implementation.picture(PHOTO))
        implementation.restart()
        assert (await client.call("get_image", file=qq_name(PHOTO)))["status"] == "ok"


async def test_3_24_forwards(make_implementation: MakeImplementation) -> None:
    async with talk(implementation := make_implementation(OLD)) as client:
        inner = implementation.forward([implementation.picture(STICKER)])
        await implementation.send_group(
            implementation.forward([implementation.picture(PHOTO), inner])
        )
        ((segment,),) = [(await client.event())["message"]]
        forward_id = segment["data"]["id"]
        assert forward_id.isdigit()
        assert (await client.call("get_forward_msg", id=forward_id))["status"] == "failed"
        got = await client.call("get_forward_msg", message_id=forward_id)
        first, second = got["data"]["messages"]
        assert (first["post_type"], first["raw_message"][:9]) == ("message", "[CQ:image")
        assert "message" not in first
        assert first["content"][0]["data"]["file"] == qq_name(PHOTO)
        assert _file_of(await client.call("get_image", file=qq_name(PHOTO))) == PHOTO
        inner_id = second["content"][0]["data"]["id"]
        unreachable = await client.call("get_forward_msg", message_id=inner_id)
        assert unreachable["message"].startswith("Error: 找不到相关的聊天记录")
    async with talk(implementation := make_implementation(OLD, version="3.27.0")) as client:
        await implementation.send_group(implementation.forward([implementation.picture(PHOTO)]))
        (segment,) = (await client.event())["message"]
        got = await client.call("get_forward_msg", id=segment["data"]["id"])
        assert got["status"] == "ok"


async def test_3_29_needs_no_key(
    make_implementation: MakeImplementation, cdn: SimulatedCdn
) -> None:
    async with talk(implementation := make_implementation(MIDDLE, inline_base64=True)) as client:
        picture = implementation.picture(PHOTO)
        await implementation.send_group(picture)
        (image,) = await _images(client)
        assert list(image) == ["file", "subType", "url", "file_size"]
        cdn.expire_keys()
        cdn.faults.set(Fault.EXPIRED)
        answer = await client.call("get_image", file=picture.name, download=False)
        assert _file_of(answer) == PHOTO
        assert "/nt_data/Pic/" in answer["data"]["file"]
        assert answer["data"]["file"].endswith(f"/Ori/{picture.hosted.md5}.jpg")
        assert answer["data"]["url"] not in ("", image["url"])
        assert "base64" not in answer["data"]
        assert cdn.fetches(picture.hosted) == 0
        implementation.restart()
        assert (await client.call("get_image", file=picture.name))["status"] == "ok"


async def test_3_29_waits_for_the_kernel(make_implementation: MakeImplementation) -> None:
    async with talk(implementation := make_implementation(MIDDLE)) as client:
        assert implementation.flavour.patience == 1800
        await implementation.send_group(implementation.picture(PHOTO))
        implementation.flavour.kernel_hangs.add(qq_name(PHOTO))
        with pytest.raises(asyncio.TimeoutError):
            await client.call("get_image", 0.05, file=qq_name(PHOTO))
        implementation.flavour.patience = 0.01
        answer = await client.call("get_image", file=qq_name(PHOTO))
        assert answer["message"].startswith("Error: invoke timeout")
    assert make_implementation(MIDDLE, version="4.4.0").flavour.patience == 120


async def test_3_29_waits_for_what_is_inside_a_forwarded_record(
    make_implementation: MakeImplementation,
) -> None:
    async with talk(implementation := make_implementation(MIDDLE)) as client:
        implementation.flavour.patience = 0.01
        await implementation.send_group(implementation.forward([implementation.picture(PHOTO)]))
        (segment,) = (await client.event())["message"]
        got = await client.call("get_forward_msg", id=segment["data"]["id"])
        (node,) = got["data"]["messages"]
        assert set(node) == {"content", "sender", "time", "message_format", "message_type"}
        answer = await client.call("get_image", file=node["content"][0]["data"]["file"])
        assert answer["message"].startswith("Error: invoke timeout")


async def test_3_29_reads_the_message_again(make_implementation: MakeImplementation) -> None:
    async with talk(implementation := make_implementation(MIDDLE)) as client:
        message_id = await implementation.send_group(implementation.picture(PHOTO))
        implementation.flavour.lose(message_id)
        answer = await client.call("get_image", file=qq_name(PHOTO))
        assert answer["message"] == "Error: msg not found"


@pytest.mark.parametrize(
    ("version", "inlines", "downloads", "keys", "message"),
    [
        ("3.29.0", True, True, False, "Error: file not found\n    at "),
        ("3.29.1", False, True, False, "Error: file not found\n    at "),
        ("4.9.0", False, True, False, "Error: file not found"),
        ("5.3.0", False, True, True, "Error: file not found"),
        ("7.5.0", False, True, True, "file not found"),
        ("7.6.0", False, False, True, "file not found"),
    ],
)
async def test_3_29_over_the_years(
    make_implementation: MakeImplementation,
    version: str,
    inlines: bool,
    downloads: bool,
    keys: bool,
    message: str,
) -> None:
    async with talk(
        implementation := make_implementation(MIDDLE, version=version, inline_base64=True)
    ) as client:
        await implementation.send_group(implementation.picture(PHOTO))
        answer = await client.call("get_image", file=qq_name(PHOTO))
        assert ("base64" in answer["data"]) == inlines
        answer = await client.call("get_image", file=qq_name(PHOTO), download="false")
        assert bool(answer["data"]["file"]) == downloads
        assert answer["data"]["url"].startswith("http")
        answer = await client.call("get_rkey")
        assert (answer["status"] == "ok") == keys
        if keys:
            assert answer["data"]["group_key"] == "&rkey=GRP1"
        answer = await client.call("get_image", file="x.jpg")
        assert answer["message"].startswith(message)
        assert ("\n" in answer["message"]) == ("\n" in message)


@pytest.mark.parametrize(
    ("version", "retcode", "message"),
    [
        ("3.29.1", 1200, "Error: file not found"),
        ("4.9.0", 1400, "$.file missing"),
        ("5.0.0", 1200, "Error: file is required"),
        ("7.3.0", 1400, "$.file missing"),
    ],
)
async def test_3_29_without_a_name(
    make_implementation: MakeImplementation, version: str, retcode: int, message: str
) -> None:
    async with talk(make_implementation(MIDDLE, version=version)) as client:
        answer = await client.call("get_image")
        assert answer["retcode"] == retcode
        assert answer["message"].startswith(message)


@pytest.mark.parametrize("flavour", [OLD, MIDDLE])
async def test_a_shared_file_by_its_id(
    make_implementation: MakeImplementation, flavour: str
) -> None:
    async with talk(implementation := make_implementation(flavour)) as client:
        shared = implementation.shared_file(PHOTO, "photo.jpg")
        await implementation.send_group(shared)
        assert _file_of(await client.call("get_file", file_id=shared.file_id)) == PHOTO
        assert (await client.call("get_file"))["status"] == "failed"
