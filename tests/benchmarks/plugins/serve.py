"""Serves a picture of 100 KB, and tells its URL; the server logs no requests.

``/bare`` gives the same bytes by the least that a route can do.
"""

import asyncio
import logging
from typing import Any

from nonebot import get_app, get_driver, require
from nonebot.log import logger
from starlette.routing import Route

require("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage import ImageReference  # noqa: E402
from nonebot_plugin_qqimage.bot.lifespan import get_services  # noqa: E402
from nonebot_plugin_qqimage.content.inspection import inspect  # noqa: E402
from nonebot_plugin_qqimage.simulator.pictures import noise_png, qq_name  # noqa: E402

telling: set[asyncio.Task[None]] = set()


class Bare:
    """Gives some bytes, whoever asks."""

    def __init__(self, body: bytes) -> None:
        self._start: dict[str, Any] = {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"%d" % len(body))],
        }
        self._body: dict[str, Any] = {"type": "http.response.body", "body": body}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send(self._start)
        await send(self._body)


@get_driver().on_startup
async def _() -> None:
    log = logging.getLogger("uvicorn.access")
    log.propagate = False
    log.handlers.clear()
    telling.add(asyncio.create_task(tell()))


async def tell() -> None:
    services, data = get_services(), noise_png(100_000)
    while not services.links.can_serve:
        await asyncio.sleep(0.01)
    get_app().router.routes.insert(1, Route("/bare", Bare(data)))  # behind our route
    info = inspect(data, max_size=1 << 30, max_pixels=1 << 30)
    reference = ImageReference(
        self_id="10001", message_id="1", file=qq_name(data), url="https://images.example/1"
    )
    await services.store.put(reference, info, data, "benchmark")
    logger.info(f"served: {services.links.url(reference)} .")
