"""What an implementation tells and takes, seen over one forward WebSocket."""

from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.simulator.flavours import FLAVOURS
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.pictures import PHOTO, STICKER, png

from .clients import SocketClient, talk
from .conftest import MakeImplementation

EACH_FLAVOUR = pytest.mark.parametrize("flavour", FLAVOURS)


async def _image(client: SocketClient) -> dict[str, Any]:
    segment = (await client.event())["message"][-1]
    assert segment["type"] == "image"
    return segment["data"]


@EACH_FLAVOUR
async def test_a_message_can_be_got_again_and_quoted(
    make_implementation: MakeImplementation, flavour: str
) -> None:
    implementation = make_implementation(flavour)
    async with talk(implementation) as client:
        quoted = await implementation.send_private(
            ["look ", implementation.picture(PHOTO, kind="private")]
        )
        await client.event()
        await implementation.send_private("what is this", quote=quoted)
        reply, text = (await client.event())["message"]
        assert reply == {"type": "reply", "data": {"id": str(quoted)}}
        assert text["data"]["text"] == "what is this"
        answer = await client.call("get_msg", message_id=quoted)
        kinds = [segment["type"] for segment in answer["data"]["message"]]
        assert kinds == ["text", "image"]
        assert (await client.call("get_msg", message_id=1))["status"] == "failed"


async def test_every_way_to_send(make_implementation: MakeImplementation, tmp_path: Path) -> None:
    implementation = make_implementation()
    file = tmp_path / "a b.jpg"
    file.write_bytes(PHOTO)
    image = {"type": "image", "data": {"file": file.as_uri()}}
    async with talk(implementation) as client:
        await client.call("send_msg", message_type="private", user_id=30001, message=image)
        await client.call("send_msg", group_id=20001, message="text alone")
        await client.call("send_private_msg", user_id=30001, message=[image, image])
        node = {"type": "node", "data": {"content": [image]}}
        forward = await client.call("send_group_forward_msg", group_id=20001, messages=[node])
        assert [len(message.pictures) for message in implementation.sent] == [1, 0, 2, 1]
        assert [message.message.kind for message in implementation.sent] == [
            "private",
            "group",
            "private",
            "group",
        ]
        inside = await client.call("get_forward_msg", id=forward["data"]["forward_id"])
        assert inside["data"]["messages"][0]["content"][0]["type"] == "image"
        file.unlink()
        lost = await client.call("send_private_msg", user_id=30001, message=image)
        assert lost["status"] == "failed"
        assert len(implementation.sent) == 4


@pytest.mark.parametrize("report", [True, False])
async def test_own_messages_are_reported_if_asked_for(
    make_implementation: MakeImplementation, report: bool
) -> None:
    implementation = make_implementation("napcat", report_own=report)
    async with talk(implementation) as client:
        await implementation.send_group(implementation.picture(PHOTO), own=True)
        await implementation.send_group("end")
        event = await client.event()
        assert event["post_type"] == ("message_sent" if report else "message")


async def test_lagrange_has_no_get_image_and_keeps_the_url(
    make_implementation: MakeImplementation, cdn: SimulatedCdn
) -> None:
    implementation = make_implementation("lagrange")
    async with talk(implementation) as client:
        message_id = await implementation.send_group(implementation.picture(PHOTO))
        image = await _image(client)
        assert image["file"] == image["url"]
        unknown = await client.call("get_image", file=image["file"])
        assert unknown == {"status": "failed", "retcode": 404, "data": None}
        cdn.expire_keys()
        (segment,) = (await client.call("get_msg", message_id=message_id))["data"]["message"]
        assert segment["data"]["url"] == image["url"]
        assert (await cdn.fetch_inside(image["url"], patience=5)).status == 400
        (_, key) = (await client.call("get_rkey"))["data"]["rkeys"]
        fresh = image["url"].replace("&rkey=GRP1", key["rkey"])
        assert (await cdn.fetch_inside(fresh, patience=5)).body == PHOTO


@pytest.mark.parametrize("flavour", [name for name in FLAVOURS if name != "gocqhttp"])
async def test_a_forwarded_record_within_another(
    make_implementation: MakeImplementation, flavour: str
) -> None:
    implementation = make_implementation(flavour)
    async with talk(implementation) as client:
        inner = implementation.forward([implementation.picture(STICKER, sticker=True)])
        outer = implementation.forward(["text", implementation.picture(PHOTO), inner])
        await implementation.send_group(outer)
        (segment,) = (await client.event())["message"]
        wanted = segment["data"]["id"]
        assert segment["data"] == {"id": wanted}
        # Each takes one of the two names, or either.
        data = (await client.call("get_forward_msg", id=wanted, message_id=wanted))["data"]
        nodes = data.get("messages") or data["message"]
        contents = [
            node.get("content") or node.get("message") or node["data"]["content"] for node in nodes
        ]
        kinds = [content[0]["type"] for content in contents]
        assert kinds == ["text", "image", "forward"]
        assert ("content" in contents[2][0]["data"]) == (flavour == "napcat")


@pytest.mark.parametrize("flavour", [name for name in FLAVOURS if name != "gocqhttp"])
async def test_a_market_face(
    make_implementation: MakeImplementation, cdn: SimulatedCdn, flavour: str
) -> None:
    implementation = make_implementation(flavour)
    async with talk(implementation) as client:
        face = implementation.market_face(emoji_id="0123456789abcdef")
        await implementation.send_group(
            [face, implementation.market_face(emoji_id="0123456789abcdef")]
        )
        first, second = (await client.event())["message"]
        assert first == second
        assert first["type"] == ("image" if flavour in ("napcat", "snowluma") else "mface")
        assert first["data"]["emoji_id"] == "0123456789abcdef"
        assert (await cdn.fetch_inside(first["data"]["url"], patience=5)).body == STICKER


async def test_strings_for_messages(make_implementation: MakeImplementation) -> None:
    implementation = make_implementation("luckylilliabot-8", message_format="string")
    async with talk(implementation) as client:
        await implementation.send_group([implementation.picture(png(8, 8), name="a,b.png")])
        event = await client.event()
        assert event["message"].startswith("[CQ:image,file=a&#44;b.png,subType=0,url=http")
        assert "&amp;rkey=GRP1," in event["message"]
