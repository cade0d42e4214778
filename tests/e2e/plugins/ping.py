"""Answers at once, whatever the message holds."""

from nonebot import on_message
from nonebot.matcher import Matcher


@on_message(priority=0, block=False).handle()
async def _(matcher: Matcher) -> None:
    await matcher.send("pong")
