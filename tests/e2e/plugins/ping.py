"""Answers every message with "ping" in it at once, whatever else it holds."""

from nonebot import on_keyword
from nonebot.matcher import Matcher


@on_keyword({"ping"}, priority=0, block=False).handle()
async def _(matcher: Matcher) -> None:
    await matcher.send("pong")
