"""The hooks that see every event, every sent message, and every lost connection.

They never raise, for NoneBot then drops the event for every plugin, and never wait, for every
matcher would wait with them.
"""

from collections.abc import Callable
from typing import Any

from nonebot import get_driver
from nonebot.adapters import Bot
from nonebot.adapters.onebot.v11 import Event
from nonebot.log import logger
from nonebot.message import event_preprocessor

from .lifespan import get_resolver, load


def install() -> None:
    """Wire the plugin into the bot that loads it."""
    load()
    event_preprocessor(prefetch_images)
    Bot.on_called_api(keep_sent_images)
    get_driver().on_bot_disconnect(end_calls)


async def prefetch_images(event: Event) -> None:
    """Have the images of each message resolved in the background."""
    _guard(get_resolver().prefetch_event, event)


async def keep_sent_images(
    bot: Bot, exception: Exception | None, api: str, data: dict[str, Any], result: Any
) -> None:
    """Have the images that this bot sends kept."""
    if exception is None and api.startswith("send_"):
        _guard(get_resolver().prefetch_sent, bot, data, result)


async def end_calls(bot: Bot) -> None:
    """End our calls over a connection that is gone."""
    _guard(get_resolver().disconnected, bot)


def _guard(work: Callable[..., None], *arguments: Any) -> None:
    try:
        work(*arguments)
    except Exception:  # noqa: BLE001  the outermost guard: the event, the call, must go on
        logger.exception(f"qqimage: {work.__name__} failed, please report it")
