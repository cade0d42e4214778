"""``list``: the images of the store, those used last first."""

import argparse
from typing import Any

from ..doctor.figures import size_of, time_of
from ..store.local.index import Stored
from .commands import Commands
from .query import add_filters, from_options
from .session import USAGE, Complaint, Result, Session
from .terminal import Terminal

_DIGITS = 12
"""Digits shown of a SHA-256; `show` takes them."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("list", list_images, "the images, those used last first")
    add_filters(parser)
    parser.add_argument("--limit", type=int, default=50, help="how many (50)")


async def list_images(session: Session, arguments: argparse.Namespace) -> Result:
    """List images."""
    selection, limit = from_options(arguments), arguments.limit
    if limit < 1:
        raise Complaint("--limit must be at least 1", USAGE)
    found, all_of_them = await session.store.query(
        lambda index: (index.select(selection, limit=limit), index.count(selection))
    )
    document = {
        "images": [facts(stored) for stored in found],
        "count": all_of_them.images,
        "bytes": all_of_them.bytes,
    }

    def show(terminal: Terminal) -> None:
        rows = [
            (
                stored.info.sha256[:_DIGITS],
                stored.info.mime.removeprefix("image/"),
                f"{stored.info.width} × {stored.info.height}",
                size_of(stored.info.size),
                time_of(stored.used),
                stored.source,
            )
            for stored in found
        ]
        if rows:
            terminal.table(["id", "type", "pixels>", "size>", "last used", "from"], rows)
        terminal.line(f"{len(rows)} of {all_of_them.images} images")

    return Result(document, show)


def facts(stored: Stored) -> dict[str, Any]:
    """What is known of a stored image, for JSON; times in seconds since the epoch."""
    return {
        **vars(stored.info),
        "uri": stored.info.uri,
        "source": stored.source,
        "added": stored.added,
        "used": stored.used,
    }
