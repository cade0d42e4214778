"""``doctor``: why pictures do not come, asked of this machine and of the bot that runs."""

import argparse
import asyncio
import os
from collections.abc import Mapping
from typing import Any

import anyio.to_thread

from ..config import ScopedConfig
from ..doctor.implementations import about_bots
from ..doctor.lately import about_last_hour
from ..doctor.line import Line, worst
from ..doctor.network import reaches_hosts, speaks_tls
from ..doctor.running import RunningBot, public, running_bots
from ..doctor.storage import about_store
from ..doctor.versions import about_versions, versions
from ..errors import StoreError
from ..language import Text, localized, say
from .commands import Commands
from .session import TROUBLE, Result, Session
from .terminal import Terminal

_MARKS = {"ok": "ok", "warning": "!", "failed": "FAILED"}


def add(commands: Commands) -> None:
    """Add the command."""
    commands.add("doctor", doctor, say("find out why images do not come"), needs_store=False)


async def doctor(session: Session, arguments: argparse.Namespace) -> Result:
    """Look at everything."""
    heard = await _listen(session) if session.there else []
    max_size = session.config.max_store_size if session.bounded else _said(heard)
    found = await versions()
    tls, hosts, stored = await asyncio.gather(
        speaks_tls(),
        reaches_hosts(session.config),
        about_store(session.store, max_size, deep=True) if session.there else _no_store(session),
    )
    here = await anyio.to_thread.run_sync(os.getcwd)
    running = [line for word in heard for line in _about(word, session.config, here, found)]
    lines = [
        Line("ok", Text("versions"), about_versions(found)),
        *(running or [_NOBODY]),
        tls,
        *hosts,
        *stored,
    ]
    verdict = worst(lines)
    document: dict[str, Any] = {
        "verdict": verdict,
        "lines": [vars(line) for line in lines],
        "versions": found,
        "bots": [word.said for word in heard],
    }

    def show(terminal: Terminal) -> None:
        for line in lines:
            text = say("{about}: {text}", about=line.about, text=line.text)
            terminal.line(f"{_MARKS[line.state]:<6}  {text}")
            if line.cure:
                terminal.line(f"{'':<6}    → {localized(line.cure)}")

    return Result(document, show, TROUBLE if verdict == "failed" else 0)


async def _listen(session: Session) -> list[RunningBot]:
    try:
        return await running_bots(session.store)
    except StoreError:  # which `about_store` will tell
        return []


def _about(
    word: RunningBot, config: ScopedConfig, here: str, found: Mapping[str, str]
) -> list[Line]:
    said, about = word.said, Text("process {pid}", pid=word.said["pid"])
    text = Text(
        "runs in {folder}, driver {driver}, {versions}",
        folder=said["folder"],
        driver=said["driver"],
        versions=about_versions(said["versions"]),
    )
    if said["versions"] != found:
        text = Text("{text}: others than here", text=text)
        cure = Text("restart the bot, or use the Python that it runs with")
        return [Line("warning", about, text, cure)]
    lines = [Line("ok", about, text), *about_bots(said["bots"])]
    if "last_hour" in said:  # which earlier versions do not tell
        lines.append(about_last_hour(**said["last_hour"]))
    others = [name for name, value in public(config).items() if said["settings"].get(name) != value]
    if others and said["folder"] == here:
        text = Text(
            "it runs with other settings than .env says here: {names}",
            names=", ".join(f"QQIMAGE__{name.upper()}" for name in others),
        )
        lines.append(Line("warning", about, text, Text("restart the bot")))
    return lines


def _said(heard: list[RunningBot]) -> int | None:
    """The store's bound, if a bot that uses it has said so."""
    return max((word.said["settings"]["max_store_size"] for word in heard), default=None)


async def _no_store(session: Session) -> list[Line]:
    text = Text("there is none in {folder} yet", folder=session.store.folder)
    cure = Text("start the bot once, or name the store with --folder")
    return [Line("warning", Text("store"), text, cure)]


_NOBODY = Line(
    "warning",
    Text("bot"),
    Text(
        "no running bot has left word in the last two minutes, so nothing can be said of "
        "connections"
    ),
    Text("start it; if it does run, it uses another store: run this in its folder"),
)
