"""``show``: one image: what it is, who keeps it, where it was seen, and how it looks."""

import argparse
import os
import re
import sys
from typing import Any

from ...doctor.figures import size_of, source_words, time_of
from ...language import say
from ...messages.sighting import Sighting
from ...store.local.facts import Description
from ..session.commands import Commands
from ..session.session import TROUBLE, USAGE, Complaint, Result, Session
from ..terminal.pictures import escape, protocol
from ..terminal.terminal import Terminal
from .listing import facts

_ID = re.compile("(qqimage:)?(?P<digits>[0-9a-fA-F]{4,64})")
_MAX_SIGHTINGS = 20


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add(
        "show", show, say("one image: its facts, sightings, and the picture itself")
    )
    parser.add_argument(
        "id",
        metavar="ID",
        help=say("SHA-256, or the first 4 or more digits of it; MD5; qqimage: URI"),
    )


async def show(session: Session, arguments: argparse.Namespace) -> Result:
    """Show an image."""
    match = _ID.fullmatch(arguments.id)
    if match is None:
        text = say(
            "{id!r} is no image: give 4 or more digits of its SHA-256, its MD5, or its "
            "qqimage: URI",
            id=arguments.id,
        )
        raise Complaint(text, USAGE)
    found = await _look_up(session, match["digits"].lower())
    info = found.stored.info
    data = await session.store.read(info)
    document = {
        **facts(found.stored),
        "path": str(session.store.path(info)),
        "intact": data is not None,
        "names": found.names,
        "pins": found.pins,
        "sightings": [seen(sighting) for sighting in found.sightings],
    }

    def display(terminal: Terminal) -> None:
        _display(terminal, document, found.sightings)
        how = protocol(os.environ) if sys.stdout.isatty() else None
        if how is not None and data is not None:
            print(escape(data, info.mime, how), end="")

    return Result(document, display, 0 if data is not None else TROUBLE)


def seen(sighting: Sighting) -> dict[str, Any]:
    """A sighting, for JSON."""
    reference = sighting.reference
    return {
        "chat": sighting.chat,
        "user": sighting.user,
        "time": sighting.time,
        "bot": reference.self_id,
        "message_id": reference.message_id,
        "position": reference.position,
    }


async def _look_up(session: Session, digits: str) -> Description:
    found = await session.store.catalog.describe(digits, max_sightings=_MAX_SIGHTINGS)
    if not found:
        raise Complaint(say("no image {digits} in the store", digits=digits))
    if len(found) > 1:
        text = say("several images begin with {digits}: give more digits", digits=digits)
        raise Complaint(text, USAGE)
    return found[0]


def _display(terminal: Terminal, document: dict[str, Any], sightings: list[Sighting]) -> None:
    frames = document["frames"]
    kind = say(
        "{type}, {width} × {height} pixels",
        type=document["mime"],
        width=document["width"],
        height=document["height"],
    )
    animated = say(", {count} frames", count=frames) if frames > 1 else ""
    damage = say("damaged or missing: fetched anew when next wanted")
    size = say("{size} ({count} bytes)", size=size_of(document["size"]), count=document["size"])
    shown = {
        "uri": document["uri"],
        "md5": document["md5"],
        say("type"): kind + animated,
        say("size"): size,
        say("from"): source_words(document["source"]),
        say("stored"): time_of(document["added"]),
        say("last used"): time_of(document["used"]),
        say("file"): document["path"],
        say("trouble"): "" if document["intact"] else damage,
        say("pinned by"): ", ".join(f"{owner} ({n})" for owner, n in document["pins"].items()),
        say("names"): ", ".join(document["names"]),
    }
    terminal.facts({name: value for name, value in shown.items() if value})
    if sightings:
        terminal.line()
        rows = [
            (time_of(each.time), each.chat, each.user, each.reference.message_id)
            for each in sightings
        ]
        terminal.table([say("seen"), say("chat"), say("user"), say("message")], rows)
