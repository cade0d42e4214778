"""Which store is meant, and its settings: those of the bot in whose folder this runs."""

import contextlib
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import nonebot
from nonebot import get_plugin_config
from nonebot.compat import model_dump
from nonebot.log import logger, logger_id

from ..config import Config, ScopedConfig
from ..language import use
from ..store.folder import data_folder


@contextlib.contextmanager
def quiet() -> Generator[None, None, None]:
    """Keep what NoneBot and we log off standard output, and show only what is worth it."""
    with contextlib.suppress(ValueError):  # somebody was faster
        logger.remove(logger_id)
    handler = logger.add(_write, level="WARNING", format="{message}")
    try:
        yield
    finally:
        logger.remove(handler)


def settings() -> ScopedConfig:
    """The settings, from ``.env`` and the environment.

    Raises:
        ValueError: one of them cannot be used.
    """
    try:
        nonebot.get_driver()
    except ValueError:
        nonebot.init(driver="~none")  # to read .env: nothing is started
    return get_plugin_config(Config).qqimage


def given_settings() -> dict[str, Any]:
    """What ``.env`` and the environment say, also under names that mean nothing."""
    try:
        return model_dump(nonebot.get_driver().config)
    except ValueError:  # NoneBot's own settings are wrong
        return {}


def choose_language(arguments: Sequence[str]) -> None:
    """Have everything said in the language of the settings; in English where it is for programs.

    Args:
        arguments: of the command line, which is not parsed yet: help is in that language, too.
    """
    if "--json" in arguments:
        return use("en")
    try:
        with quiet():
            use(settings().language)
    except ValueError:  # which is told once the command runs
        use("auto")


def usual_folder() -> Path:
    """Where the bot's store lies, or would lie. `settings` comes first.

    Raises:
        ValueError: NoneBot could not begin, because its own settings cannot be used.
    """
    nonebot.get_driver()
    return data_folder()


def _write(text: str) -> None:
    sys.stderr.write(text)
