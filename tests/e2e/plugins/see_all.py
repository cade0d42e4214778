"""Logs every event that reaches a matcher, whatever its type."""

from nonebot import on
from nonebot.adapters import Event
from nonebot.log import logger


@on(priority=0, block=False).handle()
async def _(event: Event) -> None:
    logger.success(f"SEEN {event.get_type()} {getattr(event, 'message_id', '-')}")
