"""The one resolver of the running bot: made when the plugin is loaded, closed with the bot."""

import nonebot
from nonebot import get_driver, get_plugin_config
from nonebot.log import logger

from .config import Config
from .errors import StoreError
from .resolver import ImageResolver
from .sources import Sources
from .store import ImageStore

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
    nonebot.require("nonebot_plugin_localstore")
    from nonebot_plugin_localstore import get_plugin_data_dir  # only works inside a bot

    config = get_plugin_config(Config).qqimage
    store = ImageStore(
        get_plugin_data_dir(), max_size=config.max_store_size, max_age=config.max_age
    )
    _resolver = ImageResolver(config, store, Sources(config), nonebot.get_bots)
    driver = get_driver()

    @driver.on_startup
    async def _() -> None:
        try:
            await store.evict()
        except StoreError as error:
            logger.error(f"qqimage: {error}; images are still fetched, but not kept")

    driver.on_shutdown(_resolver.close)
