"""The plugin's parts in the running bot: made when the plugin is loaded, closed with the bot."""

import nonebot
from nonebot import get_driver, get_plugin_config

from ..config import Config
from ..language import say, use
from ..resolver import ImageResolver
from ..serving.mounting import serve
from ..store.folder import data_folder
from . import chat_command
from .background import BackgroundTask
from .heartbeat import Heartbeat
from .hooks import Hooks
from .services import Services, make_services
from .upkeep import upkeep

_WARM_UP_AFTER = 20.0
"""Seconds after the start: implementations connect, and the first events come in before."""
_services: Services | None = None


def get_resolver() -> ImageResolver:
    """The bot's resolver, for where nothing can be injected, such as scheduled jobs.

    Raises:
        RuntimeError: the plugin is not loaded.
    """
    return get_services().resolver


def get_services() -> Services:
    """All parts of the plugin in this bot.

    Raises:
        RuntimeError: the plugin is not loaded.
    """
    if _services is None:
        use("auto")  # no setting has been read
        raise RuntimeError(
            say(
                "nonebot-plugin-qqimage is not loaded: call "
                'require("nonebot_plugin_qqimage") before you import from it'
            )
        )
    return _services


def install() -> None:
    """Wire the plugin into the bot that loads it.

    Raises:
        ValueError: a setting cannot be used; the message names it.
    """
    global _services
    config = get_plugin_config(Config).qqimage
    use(config.language)
    services = _services = make_services(config, data_folder(), nonebot.get_bots)
    keeping = upkeep(services.store, services.pipeline.store_trouble.log)
    heartbeat = Heartbeat(services)
    warm_up = BackgroundTask(
        "warm-up",
        services.pipeline.warm_up,
        after_trouble=_WARM_UP_AFTER,
        complain=services.pipeline.store_trouble.log,
        delay=_WARM_UP_AFTER,
    )
    driver = get_driver()
    driver.on_startup(keeping.start)
    driver.on_startup(heartbeat.start)
    driver.on_startup(warm_up.start)
    driver.on_bot_connect(heartbeat.change)
    driver.on_bot_disconnect(heartbeat.change)

    @driver.on_startup
    async def _() -> None:
        await serve(driver, services.pipeline, services.links, timeout=config.resolve_timeout)

    @driver.on_shutdown
    async def _() -> None:  # one by one: NoneBot would begin with the last
        await warm_up.stop()
        await heartbeat.stop()
        await keeping.stop()
        await services.pipeline.close()

    Hooks(services).install()
    chat_command.install(services)
