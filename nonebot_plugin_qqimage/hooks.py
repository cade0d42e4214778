"""The hook that sees every message; importing this module wires the plugin into the bot.

It never raises, for NoneBot then drops the event for every plugin, and never waits, for every
matcher would wait with it.
"""

from nonebot.adapters.onebot.v11 import MessageEvent
from nonebot.log import logger
from nonebot.message import event_preprocessor

from .lifespan import load

_resolver = load()


@event_preprocessor
async def prefetch_images(event: MessageEvent) -> None:
    """Have the images of each message resolved in the background."""
    try:
        _resolver.prefetch_event(event)
    except Exception:  # noqa: BLE001  the outermost guard: the event must go on
        logger.exception("qqimage: the images of a message could not be looked at")
