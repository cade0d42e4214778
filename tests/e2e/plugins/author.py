"""Asks for images in the ways that authors do, and says which ones it got."""

import contextvars
from typing import Annotated

from nonebot import on_command, on_keyword, on_notice, require
from nonebot.adapters import Bot, Event
from nonebot.adapters.onebot.v11 import GroupMessageEvent, Message, MessageSegment, PokeNotifyEvent
from nonebot.matcher import Matcher
from nonebot.params import CommandArg

require("nonebot_plugin_qqimage")
require("nonebot_plugin_alconna")
from nonebot_plugin_alconna import Alconna, UniMsg, on_alconna
from nonebot_plugin_alconna import Image as UniImage

from nonebot_plugin_qqimage import (
    Image,
    Images,
    ImagesOrAsk,
    QQImageError,
    QuotedImages,
    Resolver,
    get_resolver,
)

Arg = Annotated[Message, CommandArg()]


async def told(images: list[Image]) -> str:
    outcomes = []
    for image in images:
        try:
            stored = await image
            outcomes.append(f"{stored.info.sha256[:8]} by {stored.source}")
        except QQImageError as error:
            outcomes.append(f"{type(error).__name__} {error}")
    return f"{len(images)}: {'; '.join(outcomes)}"


# not a command: where `get_msg` fails, NoneBot leaves the reply segment before the text
@on_keyword({"/look"}, priority=0, block=True).handle()
async def _(matcher: Matcher, images: Images, quoted: QuotedImages) -> None:
    assert [i.reference for i in images] == [i.reference for i in quoted]
    await matcher.send(await told(images))


@on_command("history", priority=0, block=True).handle()
async def _(matcher: Matcher, bot: Bot, event: GroupMessageEvent, resolver: Resolver) -> None:
    answer = await bot.call_api("get_group_msg_history", group_id=event.group_id, count=20)
    segments = [
        segment
        for message in answer["messages"]
        for segment in message["message"]
        if segment["type"] == "image"
    ]
    await matcher.send(await told([resolver.image(segment) for segment in segments]))


@on_command("job", priority=0, block=True).handle()
async def _(matcher: Matcher, resolver: Resolver) -> None:
    segment = MessageSegment("image", {"file": "0123.png", "url": ""})
    image = contextvars.Context().run(resolver.image, segment)  # outside of any handler
    await matcher.send(await told([image]))


@on_command("uni", priority=0, block=True).handle()
async def _(matcher: Matcher, message: UniMsg) -> None:
    await matcher.send(await told([get_resolver().image(each) for each in message[UniImage]]))


@on_command("code", priority=0, block=True).handle()
async def _(matcher: Matcher, event: GroupMessageEvent, resolver: Resolver) -> None:
    (segment,) = event.message["image"]
    images = [resolver.image(str(segment)), resolver.image(segment.data["url"])]
    await matcher.send(await told(images))


@on_command("newest", priority=0, block=True).handle()
async def _(matcher: Matcher, event: GroupMessageEvent, resolver: Resolver, arg: Arg) -> None:
    words = str(arg.extract_plain_text()).split()
    chosen = {word: word != "own" for word in words}
    await matcher.send(await told(await resolver.latest(event, 10, **chosen)))


@on_command("grey", priority=0, block=True).handle()
async def _(
    matcher: Matcher,
    images: Annotated[list[Image], ImagesOrAsk("Please send one.", timeout=3)],
) -> None:
    await matcher.send(f"grey {await told(images)}")


@on_keyword({"/blue"}, priority=0, block=True).handle()
async def _(matcher: Matcher, images: Annotated[list[Image], ImagesOrAsk(timeout=20)]) -> None:
    await matcher.send(f"blue {await told(images)}")


red = on_alconna(Alconna("red"), priority=0, block=True, use_cmd_start=True)


@red.handle()
async def _(matcher: Matcher, images: Annotated[list[Image], ImagesOrAsk(timeout=20)]) -> None:
    await matcher.send(f"red {await told(images)}")


async def is_poke(event: Event) -> bool:
    return isinstance(event, PokeNotifyEvent)


@on_notice(is_poke, priority=0, block=True).handle()
async def _(matcher: Matcher, images: Annotated[list[Image], ImagesOrAsk(timeout=20)]) -> None:
    await matcher.send(f"poked {await told(images)}")


KEPT: list[Message] = []


@on_command("keep", priority=0, block=True).handle()
async def _(matcher: Matcher, event: GroupMessageEvent) -> None:
    KEPT.append(event.message["image"])
    await matcher.send("kept")


@on_command("repeat", priority=0, block=True).handle()
async def _(matcher: Matcher, bot: Bot, event: GroupMessageEvent) -> None:
    await matcher.send(KEPT[-1])
    node = {"type": "node", "data": {"user_id": 1, "content": str(KEPT[-1])}}
    await bot.call_api("send_group_forward_msg", group_id=event.group_id, messages=[node])
