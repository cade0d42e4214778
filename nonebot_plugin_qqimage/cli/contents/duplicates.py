"""``duplicates``: stored pictures that are the same picture, re-encoded or resized, by pages."""

import argparse
from typing import Any

from ...doctor.figures import images_of
from ...duplicates import Member, groups_of_same
from ...errors import MissingExtra
from ...language import localized, say
from ..session.commands import Commands
from ..session.session import USAGE, Complaint, Result, Session
from ..terminal.terminal import Terminal
from .listing import cells, facts, heads


def add(commands: Commands) -> None:
    """Add the command."""
    summary = say("the same pictures, re-encoded or resized, in groups")
    parser = commands.add("duplicates", duplicates, summary)
    parser.add_argument("--limit", type=int, default=20, help=say("how many groups (20)"))
    parser.add_argument(
        "--after", default="", help=say("go on where the page before ended, as it says")
    )


async def duplicates(session: Session, arguments: argparse.Namespace) -> Result:
    """List a page of groups."""
    limit, after = arguments.limit, str(arguments.after).lower()
    if limit < 1:
        raise Complaint(say("--limit must be at least 1"), USAGE)
    groups: list[list[Member]] = []
    left = (await session.store.looks.progress()).images
    following = ""
    try:
        with session.terminal.progress("duplicates", left) as advance:
            done = 0
            async for first, group in groups_of_same(session.store, after):
                done += 1
                advance(done)
                if group:
                    groups.append(group)
                    if len(groups) == limit:
                        following = first
                        break
    except MissingExtra as error:
        raise Complaint(localized(error.text)) from None
    documents = [[_document(member) for member in group] for group in groups]
    document = {"groups": documents, "next": following}
    return Result(document, lambda terminal: _show(terminal, groups, following))


def _document(member: Member) -> dict[str, Any]:
    more = {"distance": member.distance, "difference": round(member.difference, 3)}
    return {**facts(member.stored), **more}


def _show(terminal: Terminal, groups: list[list[Member]], following: str) -> None:
    for group in groups:
        rows = [(*cells(member.stored), member.distance) for member in group]
        terminal.table((*heads(), say("bits")), rows, right=(2, 3, 5))
        terminal.line()
    images = images_of(sum(map(len, groups)))
    terminal.line(say("groups: {count}, with {images}", count=len(groups), images=images))
    if following:
        terminal.line(say("more: --after {after}", after=following))
