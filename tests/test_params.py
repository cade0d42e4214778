"""What handlers get injected, for events of every kind."""

import time
from typing import Any, Literal

from nonebot import on
from nonebot.adapters.onebot.v11 import (
    Bot,
    GroupMessageEvent,
    GroupUploadNoticeEvent,
    Message,
    MessageSegment,
)
from nonebot.adapters.onebot.v11.event import Event, File, Reply, Sender
from nonebug import App

from nonebot_plugin_qqimage import Images, MessageImages, QuotedImages, Resolver, get_resolver

Injected = tuple[list[str], list[str], list[str]]


def message_event(message: Message, reply: Message | None = None) -> GroupMessageEvent:
    return GroupMessageEvent(
        time=int(time.time()),
        self_id=10001,
        post_type="message",
        message_type="group",
        sub_type="normal",
        message_id=1,
        group_id=20001,
        user_id=30001,
        message=message,
        original_message=message,
        raw_message="",
        font=0,
        sender=Sender(user_id=30001),
        reply=reply
        and Reply(
            time=0,
            message_type="group",
            message_id=2,
            real_id=2,
            sender=Sender(user_id=30001),
            message=reply,
        ),
    )


def picture(name: str) -> MessageSegment:
    return MessageSegment("image", {"file": name, "url": "http://127.0.0.1:1/"})


async def injected(app: App, event: Event) -> Injected:
    """Run a handler on the event; give the file names it got, one list for each parameter."""
    got: list[Injected] = []
    matcher = on(priority=0, block=True)

    @matcher.handle()
    async def _(
        images: Images, own: MessageImages, quoted: QuotedImages, resolver: Resolver
    ) -> None:
        assert resolver is get_resolver()
        got.append(tuple([one.reference.file for one in each] for each in (images, own, quoted)))

    async with app.test_matcher(matcher) as context:
        bot: Any = context.create_bot(base=Bot, self_id="10001")
        context.receive_event(bot, event)
    (only,) = got
    return only


async def test_a_message_that_quotes_another(app: App) -> None:
    event = message_event(
        "look: " + picture("a.png") + picture("b.png"), reply=Message(picture("c.png"))
    )
    expected = ["a.png", "b.png", "c.png"], ["a.png", "b.png"], ["c.png"]
    assert await injected(app, event) == expected


async def test_a_message_without_images(app: App) -> None:
    assert await injected(app, message_event(Message("hello"))) == ([], [], [])


async def test_a_shared_file(app: App) -> None:
    assert await injected(app, notice("a.txt")) == ([], [], [])
    assert await injected(app, notice("a.png")) == (["a.png"], ["a.png"], [])


def notice(file: str) -> GroupUploadNoticeEvent:
    notice_type: Literal["group_upload"] = "group_upload"
    return GroupUploadNoticeEvent(
        time=0,
        self_id=10001,
        post_type="notice",
        notice_type=notice_type,
        user_id=30001,
        group_id=20001,
        file=File(id="1", name=file, size=1, busid=1),
    )


async def test_an_event_that_is_no_more_than_that(app: App) -> None:
    event = Event(time=0, self_id=10001, post_type="message_sent")
    assert await injected(app, event) == ([], [], [])
