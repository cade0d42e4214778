"""Logs which numbered frame reached a matcher, whatever became of the rest of it."""

from nonebot import on
from nonebot.adapters import Event
from nonebot.log import logger


@on(priority=0, block=False).handle()
async def _(event: Event) -> None:
    logger.success(f"REACHED {getattr(event, 'test_number', '-')}.")
