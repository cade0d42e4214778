"""A plugin as its author writes it: tells the sender what each picture is."""

import json
from dataclasses import asdict

from nonebot import on_message, require
from nonebot.matcher import Matcher

require("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage import Images, ImageUnavailable

tell = on_message()


@tell.handle()
async def _(matcher: Matcher, images: Images) -> None:
    for image in images:
        try:
            stored = await image
            told = {"source": stored.source, **asdict(stored.info)}
        except ImageUnavailable as error:
            told = {"error": type(error).__name__, "text": str(error)}
        await matcher.send(json.dumps(told))
