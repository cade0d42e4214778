"""SnowLuma: everything is a link, and a name is what its newest picture is called."""

import asyncio
from typing import Any

import aiohttp
import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import ANIMATION, PHOTO, STICKER, qq_name
from nonebot_plugin_qqimage.simulator.transports.forward_ws import ForwardWebSocket
from nonebot_plugin_qqimage.simulator.transports.http import HttpApi

from .clients import SocketClient, talk
from .conftest import MakeImplementation


@pytest.fixture
def snowluma(make_implementation: MakeImplementation) -> SimulatedImplementation:
    return make_implementation("snowluma")


async def _data(client: SocketClient) -> dict[str, Any]:
    (segment,) = (await client.event())["message"]
    assert segment["type"] == "image"
    return segment["data"]


async def test_a_picture_has_four_fields(
    snowluma: SimulatedImplementation, cdn: SimulatedCdn
) -> None:
    async with talk(snowluma) as client:
        await snowluma.send_group(snowluma.picture(PHOTO, name="holiday.jpg"))
        data = await _data(client)
        assert list(data) == ["url", "file", "sub_type", "summary"]
        assert (data["file"], data["sub_type"], data["summary"]) == ("holiday.jpg", 0, "[图片]")
        answer = await client.call("get_image", file="holiday.jpg")
        assert answer == {
            "status": "ok",
            "retcode": 0,
            "data": {
                "file": data["url"],
                "url": data["url"],
                "file_size": str(len(PHOTO)),
                "file_name": "holiday.jpg",
            },
        }
        assert (await client.call("get_image", file_id=data["url"]))["data"] == answer["data"]
        assert cdn.requests == []


async def test_links_are_signed_anew(snowluma: SimulatedImplementation, cdn: SimulatedCdn) -> None:
    async with talk(snowluma) as client:
        picture = snowluma.picture(PHOTO, kind="private")
        message_id = await snowluma.send_private(picture)
        told = await _data(client)
        cdn.expire_keys()
        fresh = (await client.call("get_image", file=told["file"]))["data"]["url"]
        assert fresh == told["url"].replace("PRIV1", "PRIV2")
        again = (await client.call("get_msg", message_id=message_id))["data"]
        assert again["message"][0]["data"]["url"] == fresh
        assert not {"post_type", "self_id"} & again.keys()
        assert again["real_id"] == again["message_seq"]


async def test_the_newest_picture_of_a_name_wins(snowluma: SimulatedImplementation) -> None:
    async with talk(snowluma) as client:
        first = await snowluma.send_group(snowluma.picture(PHOTO, name="image.png"))
        told = await _data(client)
        await snowluma.send_group(snowluma.picture(STICKER, name="image.png"))
        newest = await _data(client)
        assert told["url"] != newest["url"]
        assert (await client.call("get_image", file="image.png"))["data"]["url"] == newest["url"]
        again = (await client.call("get_msg", message_id=first))["data"]["message"]
        assert again[0]["data"]["url"] == newest["url"]


async def test_how_it_refuses(snowluma: SimulatedImplementation) -> None:
    async with ForwardWebSocket(snowluma) as server, SocketClient(server.url) as client:
        await client.event()
        assert await client.call("get_image", file="unknown.jpg") == {
            "status": "failed",
            "retcode": 100,
            "data": None,
            "wording": "image not found in cache",
        }
        for params, retcode in (({}, 1400), ({"file": 7}, 1400), ({"file": "x"}, 100)):
            assert (await client.call("get_image", **params))["retcode"] == retcode
        assert (await client.call("get_msg", message_id=-5))["wording"] == "message not found"
        assert (await client.call("fly"))["retcode"] == 1404
        await client.ws.send_str("{")
        refusal = await client.event()
        assert (refusal["retcode"], "echo" in refusal) == (1400, False)


async def test_a_wrong_token(
    make_implementation: MakeImplementation, session: aiohttp.ClientSession
) -> None:
    implementation = make_implementation("snowluma", token="right")
    async with ForwardWebSocket(implementation) as ws, HttpApi(implementation) as http:
        async with SocketClient(ws.url, token="wrong") as client:
            assert (await client.ended())[0] == 1008
            assert client.events.empty()
        async with session.get(f"{http.url}get_status") as response:
            assert (response.status, (await response.json())["retcode"]) == (401, 1401)


async def test_keys(snowluma: SimulatedImplementation) -> None:
    async with talk(snowluma) as client:
        for action in ("get_rkey", "nc_get_rkey"):
            keys = (await client.call(action))["data"]
            assert [(key["type"], key["rkey"]) for key in keys[:2]] == [
                (10, "&rkey=PRIV1"),
                (20, "&rkey=GRP1"),
            ]
            assert keys[2]["type"] == 2
            assert all("create_time" in key and "ttl" in key for key in keys)
        server = (await client.call("get_rkey_server"))["data"]
        assert (server["private_rkey"], server["name"]) == ("&rkey=PRIV1", "SnowLuma")
        snowluma.flavour.gives_keys = False
        assert await client.call("get_rkey") == {"status": "ok", "retcode": 0, "data": []}
        refused = await client.call("get_rkey_server")
        assert (refused["retcode"], refused["wording"]) == (100, "no download rkey available")


async def test_links_without_a_key(
    snowluma: SimulatedImplementation, session: aiohttp.ClientSession
) -> None:
    snowluma.flavour.unsigned_links = True
    async with talk(snowluma) as client:
        await snowluma.send_group(snowluma.picture(PHOTO))
        data = await _data(client)
        assert "fileid=" in data["url"]
        assert "rkey" not in data["url"]
        async with session.get(data["url"]) as response:
            assert (await response.json())["retcode"] == -5503010
        async with session.get(f"{data['url']}&rkey=GRP1") as response:
            assert await response.read() == PHOTO


async def test_forwarded_records(snowluma: SimulatedImplementation) -> None:
    inner = snowluma.forward([snowluma.picture(STICKER)])
    outer = snowluma.forward([snowluma.picture(PHOTO), inner])
    async with talk(snowluma) as client:
        message_id = await snowluma.send_group(outer)
        (segment,) = (await client.event())["message"]
        assert segment == {"type": "forward", "data": {"id": outer.forward_id}}
        first, second = (await client.call("get_forward_msg", **segment["data"]))["data"][
            "messages"
        ]
        assert (first["raw_message"], first["message_format"]) == ("", "array")
        assert second["message"] == [{"type": "forward", "data": {"id": inner.forward_id}}]
        assert (await client.call("get_forward_msg", id=inner.forward_id))["status"] == "ok"
        by_message = await client.call("get_forward_msg", message_id=message_id)
        assert (by_message["status"] == "ok") == (message_id > 0)
        picture = first["message"][0]["data"]
        assert picture["file"] == qq_name(PHOTO)
        missing = await client.call("get_image", file=picture["file"])
        assert missing["wording"] == "image not found in cache"
        for blank in ("url", "url and file"):
            snowluma.flavour.blank_in_forwards = blank
            told = (await client.call("get_forward_msg", id=outer.forward_id))["data"]["messages"]
            data = told[0]["message"][0]["data"]
            assert data["url"] == ""
            assert (data["file"] == "") == (blank == "url and file")
            assert (await client.call("get_forward_msg", id="unknown"))["retcode"] == 100


async def test_what_the_bot_sent(make_implementation: MakeImplementation) -> None:
    snowluma = make_implementation("snowluma", report_own=True)
    image = {"type": "image", "data": {"file": "base64://R0lGODlh"}}
    node = {"type": "node", "data": {"content": [image]}}
    async with talk(snowluma) as client:
        sent = await client.call("send_private_msg", user_id=30001, message=image)
        live = await client.event()
        assert (live["post_type"], live["user_id"]) == ("message_sent", 10001)
        assert "target_id" not in live
        again = (await client.call("get_msg", **sent["data"]))["data"]
        assert again["target_id"] == 30001
        assert again["message"][0]["data"]["url"] == ""
        assert again["message"][0]["data"]["file"] == "base64://R0lGODlh"
        record = await client.call("send_group_forward_msg", group_id=20001, messages=[node])
        await client.event()
        forward_id = record["data"]["forward_id"]
        (told,) = (await client.call("get_forward_msg", id=forward_id))["data"]["messages"]
        assert told["message"][0]["data"] == {"url": "", "file": "", "sub_type": 0, "summary": ""}
        stranger = {"user_id": 30009, "group_id": 20001}
        refused = await client.call("send_private_msg", **stranger, message=image)
        assert refused["wording"] == "OIDB 170019003"
        assert (await client.call("send_private_msg", **stranger, message="hi"))["status"] == "ok"


async def test_a_file_comes_as_a_message_alone(snowluma: SimulatedImplementation) -> None:
    async with talk(snowluma) as client:
        await snowluma.send_group(snowluma.shared_file(PHOTO, "photo.jpg"))
        event = await client.event()
        assert event["post_type"] == "message"
        data = event["message"][0]["data"]
        assert data["file_size"] == data["size"] == len(PHOTO)
        refused = await client.call("get_file", file_id=data["file_id"])
        assert refused["wording"].startswith("file_id not found in the image/voice cache")
        with pytest.raises(asyncio.TimeoutError):
            await client.event(timeout=0.05)


async def test_cq_codes_have_two_fields(make_implementation: MakeImplementation) -> None:
    snowluma = make_implementation("snowluma", message_format="string")
    async with talk(snowluma) as client:
        await snowluma.send_group(snowluma.picture(PHOTO, sticker=True))
        text = (await client.event())["message"]
        assert text.startswith(f"[CQ:image,file={qq_name(PHOTO)},url=http")
        assert "&amp;rkey=GRP1]" in text
        assert "sub_type" not in text


async def test_versions(make_implementation: MakeImplementation, cdn: SimulatedCdn) -> None:
    old = make_implementation("snowluma", version="1.9.2-node")
    async with talk(old) as client:
        await old.send_group(old.picture(PHOTO, flash=True))
        told = await _data(client)
        assert (told["summary"], "type" in told) == ("[flash image]", False)
        cdn.expire_keys()
        assert (await client.call("get_image", file=told["file"]))["data"]["url"] == told["url"]
    new = make_implementation("snowluma", version="1.14.19-node")
    async with talk(new) as client:
        await new.send_group(new.picture(ANIMATION, flash=True))
        assert (await _data(client))["type"] == "flash"


async def test_ids_are_negative_as_often_as_not(snowluma: SimulatedImplementation) -> None:
    ids = [snowluma.message("group", "x").message_id for _ in range(64)]
    assert 10 < sum(message_id < 0 for message_id in ids) < 54
