"""Five plugins that want the same pictures at the same time, and say how many different ones."""

import asyncio

from nonebot import on_command, require
from nonebot.matcher import Matcher

require("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage import Images


async def _(matcher: Matcher, images: Images) -> None:
    read = await asyncio.gather(*(image.read() for image in images for _ in range(5)))
    await matcher.send(f"crowd {len(read)} {len(set(read))}")


for _number in range(5):
    on_command("crowd", priority=0, block=False, handlers=[_])
