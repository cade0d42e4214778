"""How large an answer may be before it breaks the bot's connection.

NoneBot sets no limit, so the limits of the libraries below it apply. Each of them closes the
connection when a frame is larger: every call under way is lost, and so are events until it is back.
"""

from nonebot.adapters.onebot.v11 import Bot

from .connection import driver_of

_LIMITS = {
    "nonebot.drivers.websockets": 1 << 20,
    "nonebot.drivers.aiohttp": 4 << 20,
    "nonebot.drivers.fastapi": 16 << 20,
    "nonebot.drivers.quart": 16 << 20,
}
"""Bytes, by the driver's module: the defaults of websockets, aiohttp and uvicorn."""


def frame_limit(bot: Bot) -> int | None:
    """The largest answer that a bot's connection survives, as far as can be known.

    Returns:
        Bytes; None when there is no limit, as over HTTP.
    """
    driver = driver_of(bot)
    return _LIMITS.get(driver, min(_LIMITS.values())) if driver else None
