"""``page``: a link to the page of a bot that runs, and an end to all that were given out."""

import argparse

from ...doctor.bots.running import running_bots
from ...gallery.entry.invitations import invite
from ...language import localized, say
from ..session.commands import Commands
from ..session.session import TROUBLE, Result, Session
from ..terminal.terminal import Terminal

_WHO = "nb qqimage page"


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("page", page, say("a link to the pictures, for a browser"))
    parser.add_argument(
        "--close", action="store_true", help=say("end every link and every session instead")
    )


async def page(session: Session, arguments: argparse.Namespace) -> Result:
    """Make a link, and try where it opens; or end all."""
    browsing = session.store.browsing
    if arguments.close:
        count = await browsing.end_all()
        text = say("links and sessions of the page that were ended: {count}", count=count)
        return Result({"ended": count}, lambda terminal: terminal.line(text))
    bots = await running_bots(session.store)
    bases = [base for bot in bots for base in bot.said.get("page", [])]
    invitation = await invite(browsing, bases, _WHO)

    def show(terminal: Terminal) -> None:
        for line in invitation.lines:
            terminal.line(line.local)
        if invitation.url:
            terminal.line(say("works once, within 10 minutes, for whoever has it:"))
            print(invitation.url)

    lines = [localized(line) for line in invitation.lines]
    document = {"url": invitation.url or None, "lines": lines}
    return Result(document, show, 0 if invitation.url else TROUBLE)
