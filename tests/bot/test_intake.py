"""What is taken in of an event: what it said when it came, whatever handlers make of it."""

import asyncio
import base64
import hashlib

from nonebot import on_message
from nonebot.adapters.onebot.v11 import Adapter, Bot, GroupMessageEvent
from nonebug import App

from nonebot_plugin_qqimage import get_resolver

from .. import samples
from ..served_pictures import group_message, image

PNG, OTHER = samples.png(filler=1), samples.png(filler=2)


def encoded(data: bytes) -> str:
    return f"base64://{base64.b64encode(data).decode()}"


async def test_a_handler_that_changes_segments_changes_nothing_that_was_taken_in(app: App) -> None:
    event = group_message(image("mine", url="http://127.0.0.1:1/mine"), image(file=encoded(PNG)))
    event.message_id = 40001

    async def change(event: GroupMessageEvent) -> None:
        named, held = event.message
        named.data.update(file="other.jpg", url="http://127.0.0.1:1/other")
        held.data.update(file=encoded(OTHER), url="")

    matcher = on_message(priority=0, handlers=[change])
    async with app.test_matcher(matcher) as context:
        bot = context.create_bot(base=Bot, adapter=context.create_adapter(base=Adapter))
        context.receive_event(bot, event)
    assert event.message[0].data["file"] == "other.jpg"
    for _ in range(1000):
        found = await get_resolver().find(message_id="40001")
        seen = {sighting.reference.position: sighting for sighting in found}
        if len(seen) == 2 and seen[1].sha256:
            break
        await asyncio.sleep(0.02)
    assert (seen[0].reference.file, seen[0].reference.url) == (
        "mine.jpg",
        "http://127.0.0.1:1/mine",
    )
    assert seen[1].sha256 == hashlib.sha256(PNG).hexdigest()
