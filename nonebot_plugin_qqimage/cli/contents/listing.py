"""``list``: the images of the store, those used last first."""

import argparse
from typing import Any

from ...doctor.figures import images_of, size_of, source_words, time_of
from ...language import localized, say
from ...store.local.facts import Stored
from ..session.commands import Commands
from ..session.query import add_filters, from_options
from ..session.session import USAGE, Complaint, Result, Session
from ..terminal.terminal import Terminal

_DIGITS = 12
"""Digits shown of a SHA-256; `show` takes them."""
_TO_THE_MINUTE = len("2026-01-31 12:00")


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("list", list_images, say("the images, those used last first"))
    add_filters(parser)
    parser.add_argument("--limit", type=int, default=50, help=say("how many (50)"))


async def list_images(session: Session, arguments: argparse.Namespace) -> Result:
    """List images."""
    selection, limit = from_options(arguments), arguments.limit
    if limit < 1:
        raise Complaint(say("--limit must be at least 1"), USAGE)
    catalog = session.store.catalog
    found = await catalog.select(selection, limit=limit)
    all_of_them = await catalog.measure(selection)
    document = {
        "images": [facts(stored) for stored in found],
        "count": all_of_them.images,
        "bytes": all_of_them.bytes,
    }

    def show(terminal: Terminal) -> None:
        rows = [(*cells(stored), source_words(stored.source)) for stored in found]
        if rows:
            terminal.table((*heads(), say("from")), rows, right=(2, 3))
        images = images_of(all_of_them.images)
        terminal.line(say("{count} of {images}", count=len(rows), images=images))

    return Result(document, show)


def heads() -> tuple[str, ...]:
    """The heads of the columns of `cells`; pixels and size are set to the right."""
    return say("id"), say("type"), say("pixels"), say("size"), say("last used")


def cells(stored: Stored) -> tuple[str, ...]:
    """What a table says of a stored image."""
    info = stored.info
    return (
        info.sha256[:_DIGITS],
        info.mime.removeprefix("image/"),
        f"{info.width}×{info.height}",
        localized(size_of(info.size)),
        time_of(stored.used)[:_TO_THE_MINUTE],
    )


def facts(stored: Stored) -> dict[str, Any]:
    """What is known of a stored image, for JSON; times in seconds since the epoch."""
    return {
        **vars(stored.info),
        "uri": stored.info.uri,
        "source": stored.source,
        "added": stored.added,
        "used": stored.used,
    }
