"""Whether the folders of ``QQIMAGE__PATH_MAP`` are there, and may be read."""

import os
from collections.abc import Mapping
from concurrent.futures import Future, wait
from pathlib import Path

from ...language import Text
from ...threads import DaemonThreads
from ..line import Line

_PATH_MAP = Text("path map")
_TIMEOUT = 5.0
"""Seconds for a look at all folders: a network drive that is gone never answers."""


def about_paths(path_map: Mapping[str, str]) -> list[Line]:
    """Whether the folders of ``QQIMAGE__PATH_MAP`` are there, and may be read. Blocks for seconds.

    Args:
        path_map: the implementation's path prefix → the same folder as this bot sees it.
    """
    threads = DaemonThreads(max(1, len(path_map)), "qqimage-doctor")
    looks: list[tuple[Text, Future[Line]]] = []
    for theirs, ours in path_map.items():
        way = Text("{theirs} is {ours} here", theirs=theirs, ours=ours)
        looks.append((way, threads.submit(_about_folder, way, Path(ours))))
    wait([look for _, look in looks], _TIMEOUT)
    threads.shutdown()
    return [look.result() if look.done() else _silent(way) for way, look in looks]


def _silent(way: Text) -> Line:
    text = Text("{way}, but it does not answer within {seconds:g} s", way=way, seconds=_TIMEOUT)
    cure = Text("mount the network drive again, and look after its server")
    return Line("failed", _PATH_MAP, text, cure)


def _about_folder(way: Text, ours: Path) -> Line:
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
