"""Knows nothing of nonebot-plugin-qqimage."""

import asyncio
from pathlib import Path

from nonebot import on_command
from nonebot.adapters.onebot.v11 import Bot, GroupMessageEvent, MessageSegment

slow = on_command("slow")
ask = on_command("ask")
show = on_command("show")


@slow.handle()
async def _(bot: Bot, event: GroupMessageEvent) -> None:
    await asyncio.sleep(0.05)
    await bot.send(event, "done")


@ask.handle()
async def _(bot: Bot, event: GroupMessageEvent) -> None:
    (segment,) = event.message["image"]
    answer = await bot.get_image(file=segment.data["file"])
    await bot.send(event, Path(answer["file"]).name)


@show.handle()
async def _(bot: Bot, event: GroupMessageEvent) -> None:
    image = MessageSegment.image("https://example.com/a.png")
    await bot.send_group_msg(group_id=event.group_id, message=image)
    await bot.send_group_msg(group_id=event.group_id, message=MessageSegment.image(b"no image"))
    await asyncio.sleep(0.05)
