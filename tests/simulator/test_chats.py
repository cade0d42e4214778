"""Temporary sessions in the form of each program, and chats that OneBot v11 does not know."""

import pytest
from nonebot.adapters.onebot.v11 import MessageEvent, PrivateMessageEvent
from nonebot.adapters.onebot.v11.adapter import Adapter

from nonebot_plugin_qqimage.simulator.flavours import FLAVOURS
from nonebot_plugin_qqimage.simulator.pictures import PHOTO

from .clients import talk
from .conftest import MakeImplementation

NAMES_THE_GROUP = ("napcat", "luckylilliabot-3.24")
NAMES_IT_IN_THE_SENDER = ("luckylilliabot-8", "luckylilliabot-3.29", "gocqhttp")


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_a_temporary_session(make_implementation: MakeImplementation, flavour: str) -> None:
    implementation = make_implementation(flavour, report_own=True)
    picture = implementation.picture(PHOTO, kind="private")
    async with talk(implementation) as client:
        await implementation.send_temporary(picture, user_id=30009, group_id=20001)
        event = await client.event()
        told = Adapter.json_to_event(event)
        assert isinstance(told, PrivateMessageEvent)
        assert (told.sub_type, told.user_id) == ("group", 30009)
        assert event.get("group_id") == (20001 if flavour in NAMES_THE_GROUP else None)
        in_sender = 20001 if flavour in NAMES_IT_IN_THE_SENDER else None
        assert event["sender"].get("group_id") == in_sender
        assert event.get("temp_source") == (
            0 if "group_id" in {**event, **event["sender"]} else None
        )
        again = (await client.call("get_msg", message_id=event["message_id"]))["data"]
        assert again["message_type"] == "private"
        assert again.get("group_id") == event.get("group_id")

        await implementation.send_temporary(picture, user_id=30009, group_id=20001, own=True)
        own = await client.event()
        assert (own["message_type"], own["sub_type"]) == ("private", "group")
        assert own["user_id"] == implementation.settings.self_id
        assert own.get("group_id") == event.get("group_id")


async def test_the_bot_answers_in_a_temporary_session(
    make_implementation: MakeImplementation,
) -> None:
    implementation = make_implementation("napcat", report_own=True)
    where = {"message_type": "private", "user_id": 30009, "group_id": 20001}
    async with talk(implementation) as client:
        await client.call("send_msg", **where, message="hello")
        own = await client.event()
        assert own["post_type"] == "message_sent"
        assert (own["sub_type"], own["group_id"], own["target_id"]) == ("group", 20001, 30009)
        await client.call("send_private_msg", user_id=30009, message="hello")
        assert (await client.event())["sub_type"] == "friend"
    assert [sent.message.kind for sent in implementation.sent] == ["private", "private"]


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_a_chat_of_another_kind(
    make_implementation: MakeImplementation, flavour: str, own: bool
) -> None:
    implementation = make_implementation(flavour, report_own=True)
    async with talk(implementation) as client:
        await implementation.send_elsewhere(
            "guild",
            implementation.picture(PHOTO),
            own=own,
            sub_type="channel",
            guild_id="1000",
            channel_id="2000",
        )
        event = await client.event()
        told = Adapter.json_to_event(event)
        assert told is not None
        assert isinstance(told, MessageEvent) == (event["post_type"] == "message")
        assert (event["message_type"], event["sub_type"]) == ("guild", "channel")
        assert (event["guild_id"], event["channel_id"]) == ("1000", "2000")
        assert not {"group_id", "target_id"} & event.keys()
