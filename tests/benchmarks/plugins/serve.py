"""Stores a picture of 100 KB, and tells its URL.

``/late`` says how late the event loop woke up since it was last asked, in milliseconds: the 99th
percentile of what sleeping for 5 ms took longer.
"""

import asyncio
import time

from nonebot import get_driver, require
from nonebot.drivers import URL, HTTPServerSetup, Request, Response
from nonebot.log import logger

require("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage import ImageReference  # noqa: E402
from nonebot_plugin_qqimage.bot.lifespan import get_services  # noqa: E402
from nonebot_plugin_qqimage.content.inspection import inspect  # noqa: E402
from nonebot_plugin_qqimage.simulator.pictures import noise_png, qq_name  # noqa: E402

_SLEEP = 0.005
running: set[asyncio.Task[None]] = set()
delays: list[float] = []


async def tell_delay(_: Request) -> Response:
    taken, delays[:] = sorted(delays), []
    return Response(200, content=str(1000 * taken[len(taken) * 99 // 100] if taken else 0.0))


get_services().own_server.add(HTTPServerSetup(URL("/late"), "GET", "late", tell_delay))


@get_driver().on_startup
async def _() -> None:
    running.update((asyncio.create_task(tell_url()), asyncio.create_task(watch())))


async def watch() -> None:
    while True:
        started = time.perf_counter()
        await asyncio.sleep(_SLEEP)
        delays.append(time.perf_counter() - started - _SLEEP)


async def tell_url() -> None:
    services, data = get_services(), noise_png(100_000)
    while not services.links.can_serve:
        await asyncio.sleep(0.01)
    info = inspect(data, max_size=1 << 30, max_pixels=1 << 30)
    reference = ImageReference(
        self_id="10001", message_id="1", file=qq_name(data), url="https://images.example/1"
    )
    await services.store.put(reference, info, data, "benchmark")
    logger.info(f"served: {services.links.url(reference)} .")
