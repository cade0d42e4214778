import asyncio
import time

import pytest
from nonebot import get_adapter
from nonebot.adapters.onebot.v11 import (
    ActionFailed,
    Adapter,
    Bot,
    GroupMessageEvent,
    Message,
    MessageSegment,
)
from nonebot.adapters.onebot.v11.event import Sender
from nonebug import App

IMAGE = MessageSegment("image", {"file": "A.jpg", "url": "https://example.com/A.jpg"})


def said(*content: str | MessageSegment) -> GroupMessageEvent:
    message = Message()
    for part in content:
        message += part
    return GroupMessageEvent(
        time=int(time.time()),
        self_id=123,
        post_type="message",
        message_type="group",
        sub_type="normal",
        message_id=1,
        group_id=20001,
        user_id=30001,
        message=message,
        original_message=message,
        raw_message=str(message),
        font=0,
        sender=Sender(user_id=30001),
    )


@pytest.mark.parametrize("made_for_onebot", [True, False])
async def test_a_handler_that_takes_its_time(app: App, made_for_onebot: bool) -> None:
    event = said("/slow", IMAGE, MessageSegment("image", {"file": "base64://AAAA"}))
    async with app.test_matcher() as context:
        base = Adapter if made_for_onebot else None
        bot = context.create_bot(base=Bot, adapter=context.create_adapter(base=base), self_id="123")
        context.receive_event(bot, event)
        context.should_call_send(event, "done")
    await asyncio.sleep(0.05)


async def test_with_the_adapter_of_the_bot(app: App) -> None:
    event = said("/slow", IMAGE)
    async with app.test_matcher() as context:
        bot = context.create_bot(base=Bot, adapter=get_adapter(Adapter), self_id="123")
        context.receive_event(bot, event)
        context.should_call_send(event, "done")


async def test_its_own_get_image(app: App) -> None:
    event = said("/ask", IMAGE)
    async with app.test_matcher() as context:
        bot = context.create_bot(base=Bot, adapter=get_adapter(Adapter), self_id="123")
        context.receive_event(bot, event)
        context.should_call_api("get_image", {"file": "A.jpg"}, {"file": "/not/there/A.jpg"})
        context.should_call_send(event, "A.jpg")


async def test_its_own_get_image_fails(app: App) -> None:
    async with app.test_api() as context:
        bot = context.create_bot(base=Bot, adapter=get_adapter(Adapter), self_id="123")
        context.should_call_api(
            "get_image", {"file": "A.jpg"}, exception=ActionFailed(status="failed", retcode=1)
        )
        with pytest.raises(ActionFailed):
            await bot.get_image(file="A.jpg")


async def test_what_it_sends(app: App) -> None:
    event = said("/show")
    sent = [MessageSegment.image("https://example.com/a.png"), MessageSegment.image(b"no image")]
    async with app.test_matcher() as context:
        bot = context.create_bot(base=Bot, adapter=get_adapter(Adapter), self_id="123")
        context.receive_event(bot, event)
        for segment in sent:
            params = {"group_id": 20001, "message": segment}
            context.should_call_api("send_group_msg", params, {"message_id": 2})
