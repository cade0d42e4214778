"""The operator's command line, as ``nb qqimage …`` and ``python -m nonebot_plugin_qqimage …``.

One file for each thing that can be done; this one finds the store, runs the command, and turns
whatever comes of it into an exit status: see ``session.py``.
"""

import argparse
import asyncio
import codecs
import errno
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anyio.to_thread

from ..errors import StoreError
from ..language import say, use
from ..masking import hide_keys, one_line
from ..settings.forms import UnusableSettings
from ..store.image_store import ImageStore
from .bots import doctor, page
from .contents import duplicates, listing, looks, show, stats
from .session.commands import Commands, HelpFormatter
from .session.place import choose_language, quiet, settings, usual_folder
from .session.session import (
    BROKEN_PIPE,
    INTERRUPTED,
    TROUBLE,
    UNUSABLE,
    USAGE,
    Complaint,
    Result,
    Session,
)
from .terminal.terminal import Terminal
from .transfer import transfer
from .upkeep import forget, gc, shared, verify

_PARTS = ("index.sqlite3", "images")
_NO_BOUND = 1 << 62


def run(
    arguments: Sequence[str],
    *,
    program: str,
    extend: Callable[[Commands], None] = lambda _: None,
) -> int:
    """Run a command line.

    Args:
        arguments: without the program's name.
        program: what usage calls it.
        extend: adds further commands.

    Returns:
        The exit status.

    Raises:
        SystemExit: after help was asked for, and for a wrong command line.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # one sign it does not have must not end all
            stream.reconfigure(errors="backslashreplace")
    choose_language(arguments)
    parser = argparse.ArgumentParser(
        prog=program,
        description=say("the store of nonebot-plugin-qqimage"),
        epilog=_about_nb_cli() if program.startswith("nb ") else None,
        formatter_class=HelpFormatter,
    )
    commands = Commands(parser)
    for module in (
        *(stats, listing, show, looks, duplicates, transfer, verify, gc, forget),
        *(shared, page, doctor),
    ):
        module.add(commands)
    extend(commands)
    parsed = parser.parse_args(arguments)
    try:
        status = _run(parsed)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print(say("interrupted"), file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        # Windows calls a closed pipe an invalid argument
        if error.errno != (errno.EINVAL if os.name == "nt" else errno.EPIPE):
            print(one_line(f"{error}"), file=sys.stderr)
            return TROUBLE
        # or Python would complain once more when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE


def _about_nb_cli() -> str:
    return say(
        "The log lines above come from NoneBot: nb-cli loads the bot first. Without them, and with "
        "exit codes: python -m nonebot_plugin_qqimage"
    )


def _run(arguments: argparse.Namespace) -> int:
    if arguments.alone is not None:
        return arguments.alone(arguments)
    try:
        with quiet():
            result = asyncio.run(_work(arguments))
    except (Complaint, StoreError) as error:
        status = error.status if isinstance(error, Complaint) else UNUSABLE
        Terminal().note(str(error))
        if arguments.json:
            _print_json({"error": hide_keys(str(error))})
        return status
    if arguments.json:
        _print_json(result.document)
    else:
        result.show(Terminal())
    return result.status


def _print_json(document: dict[str, Any]) -> None:
    """Print a document, in which nothing is left that a terminal would obey.

    Bytes of file names that are no UTF-8 are there as Python escapes them.
    """
    is_utf8 = codecs.lookup(sys.stdout.encoding).name == "utf-8"
    text = json.dumps(document, ensure_ascii=not is_utf8, indent=2)
    print("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


async def _work(arguments: argparse.Namespace) -> Result:
    try:  # what reads files may take its time
        session = await anyio.to_thread.run_sync(_open, arguments)
    except UnusableSettings as error:
        if arguments.json:
            use("en")
        if arguments.work is doctor.doctor:
            return await doctor.refused(error)
        raise Complaint(f"{error}", USAGE) from None
    return await _with_store(arguments, session)


async def _with_store(arguments: argparse.Namespace, session: Session) -> Result:
    try:
        return await arguments.work(session, arguments)
    finally:
        await session.store.close()


def _open(arguments: argparse.Namespace) -> Session:
    config = settings()
    if arguments.json:  # for programs
        use("en")
    folder = Path(arguments.folder).absolute() if arguments.folder else usual_folder()
    there = any((folder / part).exists() for part in _PARTS)
    if arguments.needs_store and not there:
        raise Complaint(
            say(
                "there is no store in {folder}: run this in the bot's folder, or name the store "
                "with --folder",
                folder=folder,
            ),
            UNUSABLE,
        )
    bounded = not arguments.folder
    store = ImageStore(
        folder,
        max_size=config.max_store_size if bounded else _NO_BOUND,
        max_age=config.max_age if bounded else _NO_BOUND,
        remember_sightings=config.sightings,
        send=bounded and bool(config.shared_store),  # by the bot, which learns of it so
    )
    return Session(store, config, there, Terminal(), bounded)
