"""``show``: one image: what it is, who keeps it, where it was seen, and how it looks."""

import argparse
import os
import re
import sys
from typing import Any

from ..doctor.figures import size_of, time_of
from ..store.image_store import Sighting
from ..store.local.index import Index, Stored
from ..store.local.selection import Selection
from .commands import Commands
from .listing import facts
from .session import TROUBLE, USAGE, Complaint, Result, Session
from .terminal import Terminal
from .terminal_image import escape, protocol

_ID = re.compile("(qqimage:)?(?P<digits>[0-9a-fA-F]{4,64})")
_MD5_DIGITS = 32
_MAX_SIGHTINGS = 20


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("show", show, "one image: its facts, sightings, and the picture itself")
    parser.add_argument(
        "id", metavar="ID", help="SHA-256, or the first 4 or more digits of it; MD5; qqimage: URI"
    )


async def show(session: Session, arguments: argparse.Namespace) -> Result:
    """Show an image."""
    match = _ID.fullmatch(arguments.id)
    if match is None:
        raise Complaint(
            f"{arguments.id!r} is no image: give 4 or more digits of its SHA-256, its MD5, or its "
            "qqimage: URI",
            USAGE,
        )
    stored, known = await session.store.query(lambda index: _look_up(index, match["digits"]))
    data = await session.store.read(stored.info)
    document = {
        **facts(stored),
        "path": str(session.store.path(stored.info)),
        "intact": data is not None,
        "names": known["names"],
        "pins": known["pins"],
        "sightings": [seen(sighting) for sighting in known["sightings"]],
    }

    def display(terminal: Terminal) -> None:
        _display(terminal, document, known["sightings"])
        how = protocol(os.environ) if sys.stdout.isatty() else None
        if how is not None and data is not None:
            print(escape(data, stored.info.mime, how), end="")

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


def _look_up(index: Index, digits: str) -> tuple[Stored, dict[str, Any]]:
    digits = digits.lower()
    info = index.by_md5(digits, None) if len(digits) == _MD5_DIGITS else None
    prefix = digits if info is None else info.sha256
    found = index.select(Selection(prefix=prefix), after="", limit=2)
    if not found:
        raise Complaint(f"no image {digits} in the store")
    if len(found) > 1:
        raise Complaint(f"several images begin with {digits}: give more digits", USAGE)
    sha256 = found[0].info.sha256
    return found[0], {
        "names": index.names(sha256),
        "pins": index.pins(sha256),
        "sightings": index.sightings.find(sha256=sha256, limit=_MAX_SIGHTINGS),
    }


def _display(terminal: Terminal, document: dict[str, Any], sightings: list[Sighting]) -> None:
    animated = f", {document['frames']} frames" if document["frames"] > 1 else ""
    pixels = f"{document['width']} × {document['height']} pixels"
    damage = "" if document["intact"] else "damaged or missing: fetched anew when next wanted"
    shown = {
        "uri": document["uri"],
        "md5": document["md5"],
        "type": f"{document['mime']}, {pixels}{animated}",
        "size": f"{size_of(document['size'])} ({document['size']} bytes)",
        "from": document["source"],
        "stored": time_of(document["added"]),
        "last used": time_of(document["used"]),
        "file": document["path"],
        "trouble": damage,
        "pinned by": ", ".join(f"{owner} ({n})" for owner, n in document["pins"].items()),
        "names": ", ".join(document["names"]),
    }
    terminal.facts({name: value for name, value in shown.items() if value})
    if sightings:
        terminal.line()
        rows = [
            (time_of(each.time), each.chat, each.user, each.reference.message_id)
            for each in sightings
        ]
        terminal.table(["seen", "chat", "user", "message"], rows)
