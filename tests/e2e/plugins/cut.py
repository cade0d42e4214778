"""Deletes or turns round the segments of a message, before other plugins see it."""

from nonebot import on_message
from nonebot.adapters.onebot.v11 import MessageEvent


@on_message(priority=-1, block=False).handle()
async def _(event: MessageEvent) -> None:
    text = event.get_plaintext().strip()
    images = event.message["image"]
    if text == "cut":
        event.message.remove(images[0])
    elif text == "turn":
        event.message[:] = [*event.message["text"], *reversed(images)]
