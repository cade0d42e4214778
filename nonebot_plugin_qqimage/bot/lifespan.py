"""The plugin's parts in the running bot: made when the plugin is loaded, closed with the bot."""

from collections.abc import Generator
from contextlib import contextmanager
from traceback import walk_stack

import anyio
import nonebot
from nonebot import get_driver

from ..doctor.store.lately import counted_lately
from ..language import say, use
from ..log import logger
from ..masking import mask_logger
from ..resolver import ImageResolver
from ..settings.forms import UnusableSettings
from ..settings.loading import load
from ..settings.names import misspelt
from ..store.folder import data_folder
from .background.connection_notes import ConnectionNotes
from .background.heartbeat import Heartbeat
from .background.looking import looking
from .background.metrics import metrics_task
from .background.synchronising import synchronising
from .background.task import BackgroundTask
from .background.trials import Trials
from .background.upkeep import upkeep
from .hooks.hooks import Hooks
from .operator import chat_command
from .operator.page import Page
from .services import Services, make_services
from .serving import start_serving

_WARM_UP_AFTER = 20.0
"""Seconds after the start: implementations connect, and the first events come in before."""
_END_TIMEOUT = 15.0
"""Seconds for everything that is done when the bot ends; each part has a shorter deadline."""
_LOGS_OF_SERVERS = ("uvicorn.access", "uvicorn.error", "uvicorn.asgi", "hypercorn.access")
"""Where HTTP servers log URLs: those of images hold a token, those of implementations another."""
_LOADER = "nonebot.plugin.manager"
_services: Services | None = None
_hooks: Hooks | None = None


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


@contextmanager
def replaced(services: Services) -> Generator[None, None, None]:
    """Let hooks, and all that is injected, work with other parts for a while, as tests want it.

    What runs beside the bot goes on with its own parts.

    Args:
        services: the other parts.

    Raises:
        RuntimeError: the plugin is not loaded.
    """
    global _services
    before = get_services()
    assert _hooks is not None  # made together with the services
    try:
        _services = services
        _hooks.use(services)
        yield
    finally:
        _services = before
        _hooks.use(before)


def install() -> None:
    """Wire the plugin into the bot that loads it.

    Raises:
        UnusableSettings: some settings make no sense.
    """
    global _hooks, _services
    try:
        config = load()
    except UnusableSettings:
        if _is_loaded_as_plugin():
            raise
        return  # `nb qqimage` imports it once more, and the command line tells of it itself
    for trouble in misspelt():
        logger.warning(say("qqimage: {trouble}", trouble=trouble))
    for name in _LOGS_OF_SERVERS:
        mask_logger(name)
    services = _services = make_services(config, data_folder(), nonebot.get_bots)
    page = Page(services)
    heartbeat = Heartbeat(services, lambda: counted_lately(services.store), lambda: page.bases)
    possible = (
        synchronising(services),
        upkeep(services.store),
        looking(config, services.store),
        ConnectionNotes(services).task,
        heartbeat.task,
        Trials(services, heartbeat.name).task,
        BackgroundTask(
            "warm-up",
            services.pipeline.warm_up,
            after_trouble=_WARM_UP_AFTER,
            delay=_WARM_UP_AFTER,
        ),
        metrics_task(services),
    )
    tasks = [task for task in possible if task is not None]
    driver = get_driver()
    driver.on_bot_connect(heartbeat.change)
    driver.on_bot_disconnect(heartbeat.change)

    @driver.on_startup
    async def _() -> None:
        for task in tasks:
            task.start(services.pipeline.store_trouble.log)
        await page.start(await start_serving(driver, services))

    @driver.on_shutdown
    async def _() -> None:  # one by one: NoneBot would begin with the last
        # `nb run` passes Ctrl+C on to a process that has got it already. At the second one some
        # drivers cancel the hooks of the first, and fail where one of them waits.
        with anyio.move_on_after(_END_TIMEOUT, shield=True):
            await services.own_server.stop()
            await page.stop()
            for task in reversed(tasks):
                await task.stop()
            await services.pipeline.close()

    _hooks = Hooks(services)
    _hooks.install()
    chat_command.install(services, page)


def _is_loaded_as_plugin() -> bool:
    """Whether NoneBot is asked to load a plugin, rather than anybody to import a part of it."""
    return any(
        frame.f_code.co_name == "load_plugin" and frame.f_globals["__name__"] == _LOADER
        for frame, _ in walk_stack(None)
    )
