"""Passes URLs on to a service elsewhere, which reaches the image host but not this bot."""

from typing import Annotated

from nonebot import on_command
from nonebot.adapters.onebot.v11 import Message
from nonebot.matcher import Matcher
from nonebot.params import CommandArg, EventMessage


@on_command("see", priority=0, block=False).handle()
async def _(
    matcher: Matcher,
    message: Annotated[Message, EventMessage()],
    argument: Annotated[Message, CommandArg()],
) -> None:
    urls = {part["image"][0].data["url"] for part in (message, argument)}
    await matcher.send(f"far {' '.join(urls)}")
