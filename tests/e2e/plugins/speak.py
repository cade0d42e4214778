"""Sends pictures in all the ways a plugin can."""

import base64
from pathlib import Path
from typing import Annotated

from nonebot import on_command
from nonebot.adapters.onebot.v11 import Bot, GroupMessageEvent, Message, MessageSegment
from nonebot.params import CommandArg

DATA = Path("to_send.png")


@on_command("speak").handle()
async def _(bot: Bot, event: GroupMessageEvent, way: Annotated[Message, CommandArg()]) -> None:
    data = DATA.read_bytes()  # noqa: ASYNC240
    encoded = f"base64://{base64.b64encode(data).decode()}"
    segment = {
        "bytes": lambda: MessageSegment.image(data),
        "path": lambda: MessageSegment.image(DATA.resolve()),
        "url": lambda: MessageSegment.image(Path("url").read_text()),
        "code": lambda: f"[CQ:image,file={encoded}]",
        "list": lambda: [{"type": "image", "data": {"file": encoded}}],
        "forward": lambda: None,
    }[str(way)]()
    if segment is None:
        node = MessageSegment.node_custom(10001, "bot", MessageSegment.image(data))
        await bot.call_api("send_group_forward_msg", group_id=event.group_id, messages=[node])
    else:
        await bot.call_api("send_group_msg", group_id=event.group_id, message=segment)
