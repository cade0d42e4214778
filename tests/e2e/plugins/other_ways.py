"""Asks for pictures in other ways than most: by name, by URL, and for the latest of the chat."""

import asyncio
import hashlib
from pathlib import Path
from typing import Annotated

from nonebot import on_command, require
from nonebot.adapters.onebot.v11 import Bot, Message, MessageEvent, MessageSegment
from nonebot.matcher import Matcher
from nonebot.params import CommandArg

require("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage import Resolver
from nonebot_plugin_qqimage.simulator.pictures import png

_numbers = iter(range(900_000, 1_000_000))


@on_command("file", block=True).handle()
async def _(bot: Bot, matcher: Matcher, arguments: Annotated[Message, CommandArg()]) -> None:
    answer = await bot.get_image(file=arguments.extract_plain_text().strip())
    data = await asyncio.to_thread(Path(answer["file"]).read_bytes)
    await matcher.send(hashlib.sha256(data).hexdigest())


@on_command("url", block=True).handle()
async def _(event: MessageEvent, matcher: Matcher) -> None:
    await matcher.send(event.message["image", 0].data["url"][::-1])  # forwards it cannot leave


@on_command("send", block=True).handle()
async def _(matcher: Matcher) -> None:
    await matcher.send(MessageSegment.image(png(64, 40, next(_numbers))))


@on_command("latest", block=True).handle()
async def _(event: MessageEvent, matcher: Matcher, resolver: Resolver) -> None:
    (image,) = await resolver.latest(event)
    await matcher.send((await image.info()).sha256)
