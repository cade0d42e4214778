"""Asks what authors can ask of chats and stored pictures, and says what it was told, in JSON."""

# ruff: noqa: ASYNC240  short looks at a small local file

import hashlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

from nonebot import on_command, require
from nonebot.adapters.onebot.v11 import Bot, Message, MessageEvent, MessageSegment
from nonebot.matcher import Matcher
from nonebot.params import CommandArg

require("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage import ForwardedImages, Image, Images, ImageUnavailable, Resolver

Ask = Callable[[str, MessageEvent, "list[Image]", "list[Image]"], Awaitable[Any]]


def answers(command: str) -> Callable[..., None]:
    def register(ask: Callable[..., Awaitable[Any]]) -> None:
        @on_command(command, priority=0, block=True).handle()
        async def _(
            event: MessageEvent,
            matcher: Matcher,
            words: Annotated[Message, CommandArg()],
            resolver: Resolver,
            images: Images,
        ) -> None:
            try:
                told = await ask(resolver, event, words.extract_plain_text(), images)
            except (ValueError, ImageUnavailable) as error:
                told = {"error": type(error).__name__, "text": str(error)}
            await matcher.send(json.dumps(told))

    return register


async def seen(image: Image) -> str:
    try:
        return (await image.info()).sha256
    except ImageUnavailable as error:
        return str(error)


@answers("last")
async def _(resolver: Any, event: MessageEvent, count: str, images: Any) -> Any:
    return [await seen(image) for image in await resolver.latest(event, int(count or 1))]


@answers("find")
async def _(resolver: Any, event: MessageEvent, chat: str, images: Any) -> Any:
    return [each.sha256 for each in await resolver.find(chat=chat)]


@answers("forget")
async def _(resolver: Any, event: MessageEvent, chat: str, images: Any) -> Any:
    return await resolver.forget(chat=chat)


@answers("chat")
async def _(resolver: Any, event: MessageEvent, words: str, images: Any) -> Any:
    return resolver.chat_of(event)


@answers("fresh")
async def _(resolver: Any, event: MessageEvent, words: str, images: list[Image]) -> Any:
    return [hashlib.sha256(await image.read(fresh=True)).hexdigest() for image in images]


@answers("url")
async def _(resolver: Any, event: MessageEvent, words: str, images: list[Image]) -> Any:
    return [image.url()[::-1] for image in images]  # forwards it would not leave the bot


@on_command("record", priority=0, block=True).handle()
async def _(matcher: Matcher, images: ForwardedImages) -> None:
    await matcher.send(json.dumps([await seen(image) for image in images]))


@on_command("again", priority=0, block=True).handle()
async def _(
    bot: Bot, event: MessageEvent, matcher: Matcher, way: Annotated[Message, CommandArg()]
) -> None:
    """A repeater: sends again what stands in the message, in one of several ways."""
    segments = event.message[1:]
    words = way.extract_plain_text().split()[:1]
    if words == ["codes"]:
        await bot.call_api("send_group_msg", group_id=event.group_id, message=str(segments))
    elif words == ["text"]:
        text = str(segments)
        await bot.send_group_msg(group_id=event.group_id, message=text, auto_escape=True)
    elif words == ["node"]:
        node = {"type": "node", "data": {"user_id": 1, "nickname": "x", "content": segments}}
        await bot.call_api("send_group_forward_msg", group_id=event.group_id, messages=[node])
    else:
        await matcher.send(segments)


@on_command("mine", priority=0, block=True).handle()
async def _(matcher: Matcher, images: Images) -> None:
    """Sends the pictures of the message in the bot's own name."""
    await matcher.send(Message([await image.segment() for image in images]))


@on_command("links", priority=0, block=True).handle()
async def _(event: MessageEvent, matcher: Matcher) -> None:
    urls: list[str] = [each.data.get("url", "") for each in event.message["image"]]
    await matcher.send(json.dumps([url[::-1] for url in urls]))  # forwards they cannot leave


KEPT = Path("kept.json")


@on_command("keep", priority=0, block=True).handle()
async def _(event: MessageEvent, matcher: Matcher) -> None:
    """A word bank, which outlives the bot."""
    KEPT.write_text(json.dumps([[each.type, each.data] for each in event.message[1:]]))
    await matcher.send("kept")


@on_command("recall", priority=0, block=True).handle()
async def _(matcher: Matcher) -> None:
    kept = json.loads(KEPT.read_text())
    await matcher.send(Message([MessageSegment(kind, data) for kind, data in kept]))


@on_command("often", priority=0, block=True).handle()
async def _(matcher: Matcher, images: Images) -> None:
    for _ in range(200):
        await matcher.send(await images[0].segment())
