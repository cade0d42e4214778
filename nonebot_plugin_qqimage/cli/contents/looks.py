"""``looks``: how many pictures have been looked at, and looking at the others now."""

import argparse

from ...doctor.figures import images_of
from ...errors import MissingExtra
from ...language import localized, say
from ..session.commands import Commands
from ..session.session import TROUBLE, Complaint, Result, Session
from ..terminal.terminal import Terminal


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("looks", looks, say("which pictures can be found by what they look like"))
    parser.add_argument(
        "--make",
        action="store_true",
        help=say("look at all others now, as fast as one processor core can"),
    )


async def looks(session: Session, arguments: argparse.Namespace) -> Result:
    """Count pictures that have hashes, and make those that are missing."""
    made = await _make(session) if arguments.make else 0
    found = await session.store.looks.progress()
    left = max(0, found.images - found.hashed - found.without)
    document = {**found._asdict(), "left": left, "made": made}

    def show(terminal: Terminal) -> None:
        facts = {
            say("images"): found.images,
            say("can be found"): found.hashed,
            say("flat, or not to be decoded"): found.without,
            say("not looked at"): left,
        }
        terminal.facts(facts)
        if arguments.make:
            terminal.line(say("{images} looked at now", images=images_of(made)))
        elif left:
            terminal.line(say("A running bot looks at them one by one; --make does it now."))

    return Result(document, show, TROUBLE if arguments.make and left else 0)


async def _make(session: Session) -> int:
    """Look at every picture that nobody has looked at; how many."""
    store, after, made, gone_over = session.store, "", 0, 0
    with session.terminal.progress("looks", (await store.totals()).images) as advance:
        while True:
            infos, after = await store.looks.without(after)
            for info in infos:
                try:
                    made += await store.looks.make(info) is not None
                except MissingExtra as error:
                    raise Complaint(localized(error.text)) from None
                gone_over += 1
                advance(gone_over)
            if not after:
                return made
