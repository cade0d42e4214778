"""Says of each picture in a forwarded record what it is."""

import json

from nonebot import on_message, require
from nonebot.matcher import Matcher

require("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage import ForwardedImages, ImageUnavailable


@on_message(priority=0, block=False).handle()
async def _(matcher: Matcher, images: ForwardedImages) -> None:
    for image in images:
        try:
            stored = await image
            told = {"source": stored.source, "sha256": stored.info.sha256}
        except ImageUnavailable as error:
            told = {"error": type(error).__name__, "text": str(error)}
        await matcher.send(json.dumps(told))
