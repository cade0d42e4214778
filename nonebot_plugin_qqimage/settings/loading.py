"""Loading: the settings of this bot, from ``.env``, the environment, and what started it."""

import os
import re
from collections.abc import Iterator
from typing import Any, cast

from nonebot import get_driver, get_plugin_config

from ..config import Config, ScopedConfig
from ..language import Language, Text, use
from .forms import UnusableSettings, unusable
from .values import check

_NAME = re.compile(r'"qqimage(?:__(\w+?))?(?:__.*)?"')
_LANGUAGES: dict[object, Language] = {"zh": "zh", "en": "en"}


def load() -> ScopedConfig:
    """The settings, checked. From here on, texts are in the language that they choose.

    Raises:
        UnusableSettings: some make no sense.
    """
    use(_language())  # first, for what is wrong with the others is told in it
    try:
        config = get_plugin_config(Config).qqimage
    except ValueError as error:  # of pydantic, or of NoneBot where something is no JSON
        raise UnusableSettings(_explained(error)) from None
    check(config)
    return config


def _language() -> Language:
    """The language that is set, whatever else is."""
    given: Any = getattr(get_driver().config, "qqimage", None)
    chosen: object = cast(dict[str, object], given).get("language") if type(given) is dict else None
    for name, value in os.environ.items():
        chosen = value if name.upper() == "QQIMAGE__LANGUAGE" else chosen
    return _LANGUAGES.get(chosen, "auto")


def _explained(error: ValueError) -> Iterator[Text]:
    """What is wrong with each setting that pydantic or NoneBot refuses, once each."""
    list_errors = getattr(error, "errors", None)
    if list_errors is None:
        found = _NAME.search(str(error))
        yield unusable(found[1] or "" if found else "")
        return
    told: set[str] = set()
    for each in list_errors():
        field = str(each["loc"][1]) if len(each["loc"]) > 1 else ""
        if field not in told:
            told.add(field)
            yield unusable(field, each.get("input") if len(each["loc"]) == 2 else None)
