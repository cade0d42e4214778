"""The hook that sees every message.

It never raises, for NoneBot then drops the event for every plugin, and never waits, for every
matcher would wait with it.
"""

from nonebot.adapters.onebot.v11 import MessageEvent
from nonebot.log import logger
from nonebot.message import event_preprocessor

from .lifespan import get_resolver, load


def install() -> None:
    """Wire the plugin into the bot that loads it."""
    load()
    event_preprocessor(prefetch_images)


async def prefetch_images(event: MessageEvent) -> None:
    """Have the images of each message resolved in the background."""
    try:
        get_resolver().prefetch_event(event)
    except Exception:  # noqa: BLE001  the outermost guard: the event must go on
        logger.exception("qqimage: the images of a message could not be looked at")
