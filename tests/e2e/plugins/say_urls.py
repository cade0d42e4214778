"""Says on command under which URL each picture is served, before anybody has got it.

URLs are written backwards, for they leave the bot in no other way.
"""

from nonebot import on_command, require
from nonebot.matcher import Matcher

require("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage import Images, QQImageError


@on_command("url", priority=0, block=False).handle()
async def _(matcher: Matcher, images: Images) -> None:
    for image in images:
        try:
            await matcher.send(f"url {image.url()[::-1]}")
        except QQImageError as error:
            await matcher.send(f"no url: {error}")
