"""Serves a picture of 100 KB, and tells its URL; the server logs no requests."""

import asyncio
import logging

from nonebot import get_driver, require
from nonebot.log import logger

require("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage import ImageReference, get_resolver  # noqa: E402
from nonebot_plugin_qqimage.content import inspect  # noqa: E402
from nonebot_plugin_qqimage.demo.pictures import noise_png, qq_name  # noqa: E402

telling: set[asyncio.Task[None]] = set()


@get_driver().on_startup
async def _() -> None:
    log = logging.getLogger("uvicorn.access")
    log.propagate = False
    log.handlers.clear()
    telling.add(asyncio.create_task(tell()))


async def tell() -> None:
    resolver, data = get_resolver(), noise_png(100_000)
    while not resolver.links.can_serve:
        await asyncio.sleep(0.01)
    info = inspect(data, max_size=1 << 30, max_pixels=1 << 30)
    reference = ImageReference(
        self_id="10001", message_id="1", file=qq_name(data), url="https://images.example/1"
    )
    await resolver.store.put(reference, info, data, "benchmark")
    logger.info(f"served: {resolver.links.url(reference)} .")
