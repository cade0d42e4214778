"""``forget``: a chat's or a user's sightings, and the images that nobody else referred to."""

import argparse
import sys

import anyio.to_thread

from .commands import Commands
from .query import chat
from .session import USAGE, Complaint, Result, Session

_MAX_COUNTED = 10_000


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("forget", forget, "forget a chat or a user, and images seen only there")
    parser.add_argument("--chat", help="group:123 or private:123")
    parser.add_argument("--user", help="the user's id; with --chat, what this user sent there")
    parser.add_argument("--yes", action="store_true", help="do not ask")


async def forget(session: Session, arguments: argparse.Namespace) -> Result:
    """Forget, after asking."""
    where = None if arguments.chat is None else chat(arguments.chat)
    user: str | None = arguments.user or None
    if where is None and user is None:
        raise Complaint("say whose images to forget: --chat, --user, or both", USAGE)
    found = await session.store.query(
        lambda index: len(index.sightings.find(chat=where, user=user, limit=_MAX_COUNTED))
    )
    many = f"{found} sightings" if found < _MAX_COUNTED else f"{found} sightings or more"
    whose = " in ".join(each for each in (user and f"user {user}", where) if each)
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise Complaint(f"{many} of {whose}: say --yes to forget them", USAGE)
        question = f"Forget {many} of {whose}, and every image seen nowhere else?"
        if not await anyio.to_thread.run_sync(session.terminal.ask, question):
            raise Complaint("nothing forgotten")
    with session.terminal.progress("forget", found) as advance:
        sightings, images = await session.store.forget(chat=where, user=user, progress=advance)
    return Result(
        {"sightings": sightings, "images": images},
        lambda terminal: terminal.line(f"{sightings} sightings and {images} images are forgotten"),
    )
