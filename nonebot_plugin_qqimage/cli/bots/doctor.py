"""``doctor``: why pictures do not come, asked of this machine and of the bot that runs."""

import argparse
import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio.to_thread

from ...doctor.bots.process import about_process
from ...doctor.bots.running import RunningBot, running_bots
from ...doctor.line import Line, worst
from ...doctor.machine.mounts import about_mount
from ...doctor.machine.network import reaches_hosts, speaks_tls
from ...doctor.machine.paths import about_paths
from ...doctor.machine.versions import about_versions, versions
from ...doctor.store.shared import about_shared
from ...doctor.store.storage import about_store
from ...errors import StoreError
from ...language import Text, localized, say
from ...settings.forms import UnusableSettings
from ...settings.names import misspelt
from ..session.commands import Commands
from ..session.session import TROUBLE, USAGE, Result, Session
from ..terminal.terminal import Terminal
from .trying import try_each_way

_MARKS = {"ok": "ok", "warning": "!", "failed": "FAILED"}
_INDENT = 8
"""Columns that the marks take."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add(
        "doctor",
        doctor,
        say("find out why images do not come"),
        needs_store=False,
    )
    parser.add_argument(
        "--try",
        dest="trying",
        action="store_true",
        help=say("try each way for real, with the last image: the bot that runs is asked for it"),
    )


async def doctor(session: Session, arguments: argparse.Namespace) -> Result:
    """Look at everything."""
    config = session.config
    heard = await _listen(session) if session.there else []
    max_size = config.max_store_size if session.bounded else _said(heard)
    found = await versions()
    tls, hosts, stored, paths, shared, mount = await asyncio.gather(
        speaks_tls(),
        reaches_hosts(config),
        about_store(session.store, max_size, deep=True) if session.there else _no_store(session),
        anyio.to_thread.run_sync(about_paths, config.path_map),
        about_shared(config, session.store if session.there else None),
        anyio.to_thread.run_sync(about_mount, session.store.folder),
    )
    here = await anyio.to_thread.run_sync(os.getcwd)
    running = [line for bot in heard for line in about_process(bot, config, here, found)]
    lines = [
        Line("ok", Text("versions"), about_versions(found)),
        *about_names(),
        *(running or [_NOBODY]),
        *paths,
        tls,
        *hosts,
        *([_folder(session)] if session.there else []),
        *stored,
        *mount,
        *shared,
    ]
    if arguments.trying:
        lines += await try_each_way(session, heard)
    return _result(lines, found, heard, session.store.folder)


async def refused(error: UnusableSettings) -> Result:
    """What can be said where the settings make no sense: what is wrong with them, and no more."""
    found = await versions()
    lines = [
        Line("ok", Text("versions"), about_versions(found)),
        *(Line("failed", _SETTINGS, trouble, _CORRECT) for trouble in error.troubles),
        *about_names(),
    ]
    return _result(lines, found, [], None, USAGE)


def about_names() -> list[Line]:
    """What is to be said of names that are none of our settings."""
    return [Line("warning", _SETTINGS, trouble, _CORRECT) for trouble in misspelt()]


def _result(
    lines: list[Line],
    found: Mapping[str, str],
    heard: list[RunningBot],
    folder: Path | None,
    status: int = TROUBLE,
) -> Result:
    verdict = worst(lines)
    document: dict[str, Any] = {
        "verdict": verdict,
        "folder": None if folder is None else str(folder),
        "lines": [vars(line) for line in lines],
        "versions": found,
        "bots": [bot.said for bot in heard],
    }

    def show(terminal: Terminal) -> None:
        for line in lines:
            text = say("{about}: {text}", about=line.about, text=line.text)
            terminal.line(f"{_MARKS[line.state]:<{_INDENT}}{text}", hang=_INDENT + 2)
            if line.cure:
                terminal.line(f"{'':<{_INDENT}}  → {localized(line.cure)}", hang=_INDENT + 4)

    return Result(document, show, status if verdict == "failed" else 0)


async def _listen(session: Session) -> list[RunningBot]:
    try:
        return await running_bots(session.store)
    except StoreError:  # which `about_store` will tell
        return []


def _said(heard: list[RunningBot]) -> int | None:
    """The store's bound, if a bot that uses it has said so."""
    return max((bot.said["settings"]["max_store_size"] for bot in heard), default=None)


def _folder(session: Session) -> Line:
    return Line("ok", Text("store"), Text("it lies in {folder}", folder=str(session.store.folder)))


async def _no_store(session: Session) -> list[Line]:
    text = Text("there is none in {folder} yet", folder=session.store.folder)
    cure = Text("start the bot once, or name the store with --folder")
    return [Line("warning", Text("store"), text, cure)]


_SETTINGS = Text("settings")
_CORRECT = Text(
    "correct it in .env or in the environment; the page Settings of the documentation lists all"
)
_NOBODY = Line(
    "warning",
    Text("bot"),
    Text(
        "no running bot has left word in the last two minutes, so nothing can be said of "
        "connections"
    ),
    Text(
        "start it, or wait some seconds if it has just been started; if it does run, it uses "
        "another store: run this in its folder"
    ),
)
