"""Messages are read a moment after they came: nobody notices but by how soon handlers answer."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Literal, cast

import pytest
from nonebot.adapters.onebot.v11 import GroupMessageEvent, Message, MessageEvent, MessageSegment
from nonebot.adapters.onebot.v11.event import Event, Reply
from nonebot.compat import type_validate_python

from nonebot_plugin_qqimage.bot.hooks.intake import Intake
from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.errors import ImageUnavailable
from nonebot_plugin_qqimage.messages.segments import from_segment

from ..messages.test_events import message, parse, sent_event
from ..world import OTHER, PICTURE, Make, World, make, services, world

__all__ = ["make", "services", "world"]  # fixtures

IMAGE = {"type": "image", "data": {"file": "", "url": "http://good"}}
PATH = "file:///home/bot/secret.png"
NAMED = {"type": "image", "data": {"file": PATH}}


@pytest.fixture(autouse=True)
def links(world: World) -> None:
    world.data = {"http://good": PICTURE.data, "http://other": OTHER.data, PATH: OTHER.data}


def take_in(services: Services, *events: Event) -> None:
    intake = Intake(services)
    for event in events:
        intake.received(event)


def pictures(number: int, count: int = 1, **fields: Any) -> MessageEvent:
    event = message([IMAGE] * count, message_id=number, time=int(time.time()), **fields)
    return cast(MessageEvent, event)


def quoting(message_id: int = 5) -> MessageEvent:
    event = pictures(9)
    quoted = Message(MessageSegment("image", {"file": "", "url": "http://other"}))
    event.reply = type_validate_python(
        Reply,
        {
            "time": 1_600_000_000,
            "message_type": "group",
            "message_id": message_id,
            "real_id": message_id,
            "sender": {"user_id": 30002},
            "message": quoted,
        },
    )
    return event


async def latest_before(services: Services, event: Event) -> list[str]:
    found = await services.resolver.latest(event, 500, own=True, before=True)
    return [sighting.reference.message_id for sighting in found]


# What strangers say


def from_record(event: MessageEvent) -> object:
    return event.message[0].data["content"].pop()


def from_list(event: MessageEvent) -> object:
    return cast(list[Any], event.message).pop()["data"].pop("file")


def from_text(event: MessageEvent) -> object:
    event.message = Message()
    return None


@pytest.mark.parametrize(
    ("content", "taken"),
    [
        (Message(MessageSegment("node", {"content": [NAMED]})), from_record),
        ([{"type": "image", "data": {"file": PATH}}], from_list),
        ("-" * 70_000 + PATH, from_text),
    ],
    ids=["record", "list", "text"],
)
async def test_a_path_that_a_handler_takes_out_of_a_message_and_sends_opens_no_file(
    services: Services, world: World, content: Any, taken: Callable[[MessageEvent], object]
) -> None:
    event = pictures(1)
    event.message = content
    take_in(services, event)
    taken(event)
    sent = from_segment(NAMED, "10001", "2", sent=True)
    assert sent is not None
    with pytest.raises(ImageUnavailable):
        await services.resolver.image(sent).read()
    assert PATH not in [each.content for each in world.fetched]


async def test_a_path_is_noticed_whatever_another_plugin_has_made_of_the_quoted_message(
    services: Services, world: World
) -> None:
    event = cast(MessageEvent, message([NAMED, IMAGE]))
    event.reply = cast(Reply, {"message_id": 5, "message": [IMAGE]})
    take_in(services, event)
    sent = from_segment(NAMED, "10001", "2", sent=True)
    assert sent is not None
    with pytest.raises(ImageUnavailable):
        await services.resolver.image(sent).read()
    assert len(await services.resolver.find()) == 2


# Odd events


@pytest.mark.parametrize("group", [{}, {"group_id": None}, {"group_id": "g"}, {"group_id": 0}])
async def test_a_group_message_with_an_odd_group(services: Services, group: dict[str, Any]) -> None:
    fields = {
        "time": int(time.time()),
        "self_id": 10001,
        "post_type": "message",
        "message_type": "group",
        "sub_type": "normal",
        "message_id": 1,
        "user_id": 30001,
        "message": [IMAGE],
        "raw_message": "",
        "font": 0,
        "sender": {"user_id": 30001},
    }
    event = parse({**fields, **group})
    take_in(services, event)
    (image,) = await services.resolver.images(event)
    assert await image.read() == PICTURE.data
    assert len(await services.resolver.find()) == 1
    if group == {"group_id": 0}:
        assert len(await services.resolver.latest(event)) == 1


async def test_a_quoted_message_that_a_handler_changes(services: Services) -> None:
    event = quoting(5)
    take_in(services, event)
    reply = cast(Reply, event.reply)
    reply.sender.user_id, reply.message_id, event.reply = 30009, 6, None
    reply.message.clear()
    found = {each.reference.message_id: each.user for each in await services.resolver.find()}
    assert found == {"9": "30001", "5": "30002"}


class MessageSent(GroupMessageEvent):
    """A model that plugins give NoneBot for what this account sends."""

    post_type: Literal["message_sent"]  # type: ignore[assignment]


async def test_an_own_message_that_a_plugin_has_a_model_for_is_fetched(
    make: Make, world: World
) -> None:
    services = make(prefetch=False, own_images=True)
    fields = vars(pictures(1, user_id=10001))
    take_in(services, type_validate_python(MessageSent, {**fields, "post_type": "message_sent"}))
    await asyncio.sleep(0.2)
    assert len(world.fetched) == 1
    assert len(await services.resolver.find()) == 1


# Order


def recalled(number: int) -> Event:
    return parse(
        {
            "time": int(time.time()),
            "self_id": 10001,
            "post_type": "notice",
            "notice_type": "group_recall",
            "user_id": 30001,
            "group_id": 20001,
            "operator_id": 30001,
            "message_id": number,
        }
    )


@pytest.mark.parametrize("pause", [0, 0.02])
async def test_before_a_recall_means_before_the_recall(services: Services, pause: float) -> None:
    recall = recalled(1)
    for event in (pictures(1), pictures(2), recall, pictures(3)):
        take_in(services, event)
        await asyncio.sleep(pause)
    assert await latest_before(services, recall) == ["2"]


@pytest.mark.parametrize("pause", [0, 0.02])
async def test_before_an_own_message_means_before_it(services: Services, pause: float) -> None:
    sent = sent_event([IMAGE], message_id=2, time=int(time.time()), user_id=10001)
    for event in (pictures(1), sent, pictures(3)):
        take_in(services, event)
        await asyncio.sleep(pause)
    assert await latest_before(services, sent) == ["1"]


async def test_of_messages_in_one_moment_each_has_all_images_of_those_before(
    services: Services,
) -> None:
    events = [pictures(number, 60) for number in range(1, 5)]
    take_in(services, *events)
    for event in events:
        assert len(await latest_before(services, event)) == 60 * (event.message_id - 1)


# Handlers that are no coroutines


@pytest.mark.parametrize("pause", [0, 0.01])
async def test_a_handler_in_a_thread_asks_how_an_image_stands(
    services: Services, world: World, pause: float
) -> None:
    event = pictures(1, 3)
    first, *_ = await services.resolver.images(event)
    take_in(services, event)
    await asyncio.sleep(pause)
    assert await asyncio.to_thread(lambda: first.state) in ("new", "resolving")
    await asyncio.sleep(0.2)
    assert first.state == "stored"
    assert len(await services.resolver.find()) == 3
