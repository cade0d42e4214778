"""``forget``: a chat's or a user's sightings, and the images that nobody else referred to."""

import argparse
import sys

from ...doctor.figures import images_of, sightings_of
from ...language import say
from ..session.commands import Commands
from ..session.query import chat
from ..session.session import USAGE, Complaint, Result, Session
from ..terminal.terminal import Terminal


def add(commands: Commands) -> None:
    """Add the command."""
    summary = say("forget a chat or a user, and images seen only there")
    parser = commands.add("forget", forget, summary)
    parser.add_argument("--chat", help=say("group:123 or private:123"))
    parser.add_argument("--user", help=say("the user's id; with --chat, what this user sent there"))
    parser.add_argument("--yes", action="store_true", help=say("do not ask"))


async def forget(session: Session, arguments: argparse.Namespace) -> Result:
    """Forget, after asking."""
    where = None if arguments.chat is None else chat(arguments.chat)
    user: str | None = arguments.user or None
    if where is None and user is None:
        raise Complaint(say("say whose images to forget: --chat, --user, or both"), USAGE)
    found = await session.store.catalog.count_sightings(chat=where, user=user)
    whose = _whose(where, user)
    if not arguments.yes:
        if not sys.stdin.isatty():
            text = say(
                "{sightings} of {whose}: say --yes to forget them",
                sightings=sightings_of(found),
                whose=whose,
            )
            raise Complaint(text, USAGE)
        question = say(
            "Forget {sightings} of {whose}, and every image seen nowhere else?",
            sightings=sightings_of(found),
            whose=whose,
        )
        # in this thread, where Ctrl-C ends it; nothing else needs the loop meanwhile
        if not session.terminal.ask(question):
            raise Complaint(say("nothing forgotten"))
    with session.terminal.progress("forget", found) as advance:
        sightings, images = await session.store.forgetting.forget(
            chat=where, user=user, progress=advance
        )

    def show(terminal: Terminal) -> None:
        terminal.line(
            say(
                "forgotten: {sightings}, {images}",
                sightings=sightings_of(sightings),
                images=images_of(images),
            )
        )

    return Result({"sightings": sightings, "images": images}, show)


def _whose(chat: str | None, user: str | None) -> str:
    if chat is not None and user is not None:
        return say("user {user} in {chat}", user=user, chat=chat)
    return chat if chat is not None else say("user {user}", user=user)
