"""Serving images: by the server of our own, and at the bot's HTTP port where it has one."""

from nonebot.drivers import Driver
from yarl import URL

from ..errors import StoreError
from ..language import say
from ..log import logger
from ..serving.mounting import mount
from ..serving.route import ImageRoute
from ..serving.urls import ANYWHERE
from ..settings.values import listen_at
from .services import Services


async def start_serving(driver: Driver, services: Services) -> list[str]:
    """Begin to serve images, so that URLs can be made. Call it when the bot starts, not before.

    Args:
        driver: the bot's.
        services: of the bot.

    Returns:
        The base URLs of what serves; for a server that listens everywhere, with the host that says
        so, such as ``0.0.0.0``.
    """
    try:
        # also where they are not served, for messages may hold URLs from when they were
        await services.links.load(services.store.folder)
    except StoreError as error:
        logger.error(say("qqimage: {error}; images are not served", error=str(error)))
        return []
    own = await services.own_server.start()
    timeout = services.config.resolve_timeout
    route = ImageRoute(services.pipeline, services.links, timeout)
    bots = mount(driver, route, services.own_server.setups)
    if own or bots:
        services.links.served_at(own or bots)
    hosts = listen_at(services.config.listen)[0], str(getattr(driver.config, "host", ""))
    return [_as_listening(url, host) for url, host in zip((own, bots), hosts, strict=True) if url]


def _as_listening(url: str, host: str) -> str:
    return str(URL(url).with_host(host)) if host in ANYWHERE else url
