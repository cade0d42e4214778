"""Whether the folders of ``QQIMAGE__PATH_MAP`` are there, and may be read."""

import os
from collections.abc import Mapping
from pathlib import Path

from ..language import Text
from .line import Line

_PATH_MAP = Text("path map")


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
