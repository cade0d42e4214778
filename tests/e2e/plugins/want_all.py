"""Wants every picture there may be, in the message, the quoted one, and forwarded records."""

from nonebot import on, require

require("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage import ForwardedImages, Images, QQImageError


@on(priority=0, block=False).handle()
async def _(images: Images, forwarded: ForwardedImages) -> None:
    for image in images + forwarded:
        try:
            await image.read()
        except QQImageError:
            continue
