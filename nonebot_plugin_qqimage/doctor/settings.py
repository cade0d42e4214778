"""What is wrong with the settings: unusable values, unknown names, and folders that are missing."""

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from ..config import ScopedConfig
from ..errors import mask_keys
from ..fetch.fetcher import Fetcher
from ..language import Text
from ..serving.links import Links
from .line import Line

_ABOUT = Text("settings")
_PATH_MAP = Text("path map")
_GROUP = "qqimage"


def wrong_settings(error: ValueError) -> tuple[str, ...]:
    """What is wrong with each value that could not be used, after the name of its setting.

    Args:
        error: pydantic's, of either version, or one of ours that says it itself.
    """
    errors = cast(Any, getattr(error, "errors", None))
    unreadable = re.search(r'env var "(\w+)"', str(error))  # so says NoneBot
    if unreadable is not None:
        return (Text("{name} is not written as JSON", name=unreadable[1].upper()),)
    if errors is None:
        return (mask_keys(str(error)),)
    return tuple(_named(each["loc"]) + ": " + mask_keys(each["msg"]) for each in errors())


def about_settings(
    config: ScopedConfig, wrong: tuple[str, ...], given: Mapping[str, Any]
) -> list[Line]:
    """What is wrong with the settings.

    Args:
        config: the settings; the defaults if there is something wrong.
        wrong: what is wrong with values, if that is known already.
        given: what ``.env`` and the environment say, as NoneBot has it.
    """
    wrong = wrong or tuple(_unusable(config))
    cure = Text("correct it in .env; with it, the bot runs without this plugin")
    failed = [Line("failed", _ABOUT, text, cure) for text in wrong]
    return [*failed, *_unknown(given)]


def _unusable(config: ScopedConfig) -> Iterator[str]:
    """What the parts of a bot would say of the settings."""
    for part in (Fetcher, Links):
        try:
            part(config)
        except ValueError as error:
            yield mask_keys(str(error))


def _unknown(given: Mapping[str, Any]) -> Iterator[Line]:
    known = list(vars(ScopedConfig()))
    group = given.get(_GROUP)
    ours: list[str] = [*cast(dict[str, Any], group)] if isinstance(group, dict) else []
    for name in ours:
        if name.lower() not in known:
            yield _not_a_setting(f"{_GROUP}__{name}", name, known)
    for name in given:
        if name.lower().startswith(f"{_GROUP}_"):
            yield _not_a_setting(name, name[len(_GROUP) :].strip("_"), known)


def _not_a_setting(name: str, meant: str, known: list[str]) -> Line:
    text = Text("{name} is no setting, and has no effect", name=name.upper())
    similar = difflib.get_close_matches(meant.lower(), known, 1)
    cure = Text("see the list of settings")
    if similar:
        cure = Text("write {name}", name=f"{_GROUP}__{similar[0]}".upper())
    return Line("warning", _ABOUT, text, cure)


def _named(place: tuple[Any, ...]) -> str:
    """A setting as operators write it, and as the log of a bot has it."""
    return f"{'__'.join(map(str, place)).upper()} ({'.'.join(map(str, place))})"


def about_paths(path_map: Mapping[str, str]) -> list[Line]:
    """Whether the folders of ``QQIMAGE__PATH_MAP`` are there, and may be read. Blocks.

    Args:
        path_map: the implementation's path prefix → the same folder as this bot sees it.
    """
    return [_about_folder(theirs, Path(ours)) for theirs, ours in path_map.items()]


def _about_folder(theirs: str, ours: Path) -> Line:
    way = Text("{theirs} is {ours} here", theirs=theirs, ours=str(ours))
    if not ours.is_dir():
        text = Text("{way}, but there is no such folder", way=way)
        cure = Text("share the implementation's folder with this bot, under that very path")
        return Line("failed", _PATH_MAP, text, cure)
    if not os.access(ours, os.R_OK | os.X_OK):
        text = Text("{way}, but this user may not read it", way=way)
        return Line("failed", _PATH_MAP, text, Text("let the bot's user read the folder"))
    if not any(ours.iterdir()):
        text = Text("{way}, but the folder is empty", way=way)
        return Line("warning", _PATH_MAP, text, Text("look whether the right folder is shared"))
    return Line("ok", _PATH_MAP, Text("{way}, and can be read", way=way))
