"""Which store is meant, and its settings: those of the bot in whose folder this runs."""

import contextlib
import sys
from collections.abc import Generator, Sequence
from pathlib import Path

import nonebot
from nonebot.log import logger, logger_id

from ...config import ScopedConfig
from ...language import Text, use
from ...masking import mask_keys
from ...settings.forms import UnusableSettings
from ...settings.loading import load
from ...store.folder import data_folder


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
        UnusableSettings: some make no sense.
    """
    try:
        nonebot.get_driver()
    except ValueError:
        try:
            nonebot.init(driver="~none")  # to read .env: nothing is started
        except ValueError as error:
            text = Text(
                "NoneBot's own settings cannot be used: {error}", error=mask_keys(str(error))
            )
            raise UnusableSettings([text]) from None
    return load()


def choose_language(arguments: Sequence[str]) -> None:
    """Have everything said in the language of the settings; in English where it is for programs.

    Args:
        arguments: of the command line, which is not parsed yet: help is in that language, too.
    """
    # what is wrong with them is told once the command runs
    with quiet(), contextlib.suppress(UnusableSettings):
        settings()
    if "--json" in arguments:
        use("en")


def usual_folder() -> Path:
    """Where the bot's store lies, or would lie. `settings` comes first.

    Raises:
        ValueError: NoneBot could not begin, because its own settings cannot be used.
    """
    nonebot.get_driver()
    return data_folder()


def _write(text: str) -> None:
    sys.stderr.write(text)
