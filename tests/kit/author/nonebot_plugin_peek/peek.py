"""Uses nonebot-plugin-qqimage."""

from typing import Annotated

from nonebot import on_command, require
from nonebot.adapters.onebot.v11 import MessageEvent, MessageSegment
from nonebot.matcher import Matcher

require("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage import (
    ForwardedImages,
    Image,
    Images,
    ImagesOrAsk,
    ImageUnavailable,
    Resolver,
)

peek = on_command("peek")
last = on_command("last")
records = on_command("records")
again = on_command("again")


@peek.handle()
async def _(matcher: Matcher, images: Images) -> None:
    for image in images:
        try:
            info = await image.info()
        except ImageUnavailable as error:
            await matcher.finish(type(error).__name__)
        await matcher.send(f"{info.width}x{info.height} {info.mime}")


@last.handle()
async def _(matcher: Matcher, event: MessageEvent, resolver: Resolver) -> None:
    found = await resolver.latest(event, 10, distinct=True)
    await matcher.send(", ".join([(await image.info()).sha256[:8] for image in found]))


@records.handle()
async def _(matcher: Matcher, images: ForwardedImages) -> None:
    await matcher.send(str(sum([len(await image.read()) for image in images])))


@again.handle()
async def _(matcher: Matcher, images: Annotated[list[Image], ImagesOrAsk("which?")]) -> None:
    await matcher.send(MessageSegment.image(await images[0].read()))
