"""``gc``: the store within its bounds, and what nobody needs removed, without waiting for a bot."""

import argparse
from collections import Counter

from ...doctor.figures import images_of, size_of
from ...language import say
from ..session.commands import Commands
from ..session.session import Result, Session
from ..terminal.terminal import Terminal
from .verify import summary, sweep


def add(commands: Commands) -> None:
    """Add the command."""
    commands.add("gc", collect, say("remove what exceeds the bounds, and what nobody needs"))


async def collect(session: Session, arguments: argparse.Namespace) -> Result:
    """Clean up."""
    before = await session.store.totals()
    if session.bounded:
        session.terminal.note(say("removing what exceeds the bounds …"))
        await session.store.upkeep.evict()
    after = await session.store.totals()
    swept = Counter(f.trouble for f in await sweep(session, "gc", deep=False, repair=True))
    gone, freed = before.images - after.images, before.bytes - after.bytes
    document = {
        "evicted": gone,
        "freed": freed,
        "images": after.images,
        "bytes": after.bytes,
        "found": dict(swept),
    }

    def show(terminal: Terminal) -> None:
        if session.bounded:
            terminal.line(
                say(
                    "{images} removed ({freed}); bounds: {size}, {days:g} d",
                    images=images_of(gone),
                    freed=size_of(freed),
                    size=size_of(session.config.max_store_size),
                    days=session.config.max_age / 86400,
                )
            )
        else:
            terminal.line(say("no image removed: with --folder, nobody says what its bounds are"))
        terminal.line(
            say(
                "{images} left ({size}), {found}",
                images=images_of(after.images),
                size=size_of(after.bytes),
                found=summary(swept),
            )
        )

    return Result(document, show)
