"""Serving images: by the server of our own, and at the bot's HTTP port where it has one."""

from nonebot.drivers import Driver

from ..errors import StoreError
from ..language import say
from ..log import logger
from ..serving.mounting import mount
from ..serving.route import ImageRoute
from .services import Services


async def start_serving(driver: Driver, services: Services) -> None:
    """Begin to serve images, so that URLs can be made. Call it when the bot starts, not before.

    Args:
        driver: the bot's.
        services: of the bot.
    """
    try:
        # also where they are not served, for messages may hold URLs from when they were
        await services.links.load(services.store.folder)
    except StoreError as error:
        logger.error(say("qqimage: {error}; images are not served", error=str(error)))
        return
    own = await services.own_server.start()
    timeout = services.config.resolve_timeout
    route = ImageRoute(services.pipeline, services.links, timeout)
    bots = mount(driver, route, services.own_server.setups)
    if own or bots:
        services.links.served_at(own or bots)
