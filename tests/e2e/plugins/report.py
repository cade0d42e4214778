"""Answers each message with what its pictures are; sends a picture when told to."""

import asyncio
import json

from nonebot import on, on_message, require
from nonebot.adapters import Event
from nonebot.adapters.onebot.v11 import Bot, MessageEvent, MessageSegment
from nonebot.matcher import Matcher

require("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage import (
    ForwardedImages,
    Image,
    ImageReference,
    Images,
    ImageUnavailable,
    get_resolver,
)
from nonebot_plugin_qqimage.bot.lifespan import get_services
from nonebot_plugin_qqimage.messages.events import find_in_own_event
from nonebot_plugin_qqimage.simulator.pictures import png


@on_message(priority=0, block=True).handle()
async def _(
    bot: Bot, event: MessageEvent, matcher: Matcher, images: Images, forwarded: ForwardedImages
) -> None:
    text = event.get_plaintext()
    if text.startswith("send "):
        sent = await matcher.send(MessageSegment.image(png(64, 40, int(text[5:]))))
        reference = ImageReference(bot.self_id, str(sent["message_id"]), own=True)
        while await get_services().store.find(reference) is None:
            await asyncio.sleep(0.02)
    if event.user_id == event.self_id and not images:
        return  # Lagrange tells it of these very answers
    await matcher.send(await _report(event.message_id, images + forwarded))


@on("message_sent", priority=0).handle()
async def _(bot: Bot, event: Event) -> None:
    images = [get_resolver().image(reference) for reference in find_in_own_event(event)]
    if images:
        text = await _report(int(images[0].reference.message_id), images)
        await bot.call_api("send_private_msg", user_id=30001, message=text)


async def _report(message_id: int, images: list[Image]) -> str:
    outcomes = [await _outcome(image) for image in images]
    return json.dumps({"message_id": message_id, "outcomes": outcomes}, ensure_ascii=False)


async def _outcome(image: Image) -> dict[str, str]:
    try:
        stored = await image
    except ImageUnavailable as error:
        return {"error": type(error).__name__, "hint": error.hint, "text": str(error)}
    return {"source": stored.source, "sha256": stored.info.sha256}
