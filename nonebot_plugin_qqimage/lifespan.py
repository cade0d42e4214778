"""The one resolver of the running bot: made when the plugin is loaded, closed with the bot."""

import nonebot
from nonebot import get_driver, get_plugin_config

from .config import Config
from .doctor import Heartbeat
from .folder import data_folder
from .resolver import ImageResolver
from .sources import Sources
from .store import ImageStore
from .upkeep import Upkeep
from .web.serving import serve

_MAX_BODIES = 16 * 1024 * 1024
"""Bytes of images kept in memory."""
_resolver: ImageResolver | None = None


def get_resolver() -> ImageResolver:
    """The bot's resolver, for where nothing can be injected, such as scheduled jobs.

    Raises:
        RuntimeError: the plugin is not loaded.
    """
    if _resolver is None:
        raise RuntimeError(
            "nonebot-plugin-qqimage is not loaded: call "
            'require("nonebot_plugin_qqimage") before you import from it'
        )
    return _resolver


def load() -> None:
    """Make the resolver, while NoneBot loads the plugin.

    Raises:
        ValueError: a setting cannot be used; the message names it.
    """
    global _resolver
    config = get_plugin_config(Config).qqimage
    store = ImageStore(
        data_folder(),
        max_size=config.max_store_size,
        max_age=config.max_age,
        remember_sightings=config.sightings,
        max_bodies=_MAX_BODIES,
    )
    resolver = _resolver = ImageResolver(config, store, Sources(config), nonebot.get_bots)
    upkeep, heartbeat = Upkeep(_resolver), Heartbeat(_resolver)
    driver = get_driver()
    driver.on_startup(upkeep.start)
    driver.on_startup(heartbeat.start)
    driver.on_bot_connect(heartbeat.change)
    driver.on_bot_disconnect(heartbeat.change)

    @driver.on_startup
    async def _() -> None:
        await serve(driver, resolver, timeout=config.resolve_timeout)

    @driver.on_shutdown
    async def _() -> None:  # one by one: NoneBot would begin with the last
        await heartbeat.stop()
        await upkeep.stop()
        await resolver.close()
