"""``duplicates``: stored pictures that are the same picture, re-encoded or resized, by pages."""

import argparse
from collections.abc import AsyncIterator
from typing import Any

from ..content.looks.look import SAME
from ..doctor.figures import images_of, size_of, time_of
from ..errors import MissingExtra
from ..language import localized, say
from ..similar import compared, likeness
from ..store.image_store import ImageStore
from ..store.local.facts import Selection, Stored
from ..store.looks import Match
from .commands import Commands
from .listing import facts
from .session import USAGE, Complaint, Result, Session
from .terminal import Terminal

_PAGE = 200
_DIGITS = 12
"""Digits shown of a SHA-256; `show` takes them."""


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
    groups: list[list[dict[str, Any]]] = []
    left = (await session.store.looks.progress()).images
    following = ""
    try:
        with session.terminal.progress("duplicates", left) as advance:
            done = 0
            async for stored in _stored(session.store, after):
                done += 1
                advance(done)
                if group := await _group(session.store, stored):
                    groups.append(group)
                    if len(groups) == limit:
                        following = stored.info.sha256
                        break
    except MissingExtra as error:
        raise Complaint(localized(error.text)) from None
    document = {"groups": groups, "next": following}
    return Result(document, lambda terminal: _show(terminal, groups, following))


async def _stored(store: ImageStore, after: str) -> AsyncIterator[Stored]:
    last = after
    while page := await store.catalog.select(Selection(), after=last, limit=_PAGE):
        for stored in page:
            yield stored
        last = page[-1].info.sha256


async def _group(store: ImageStore, stored: Stored) -> list[dict[str, Any]]:
    """A picture with all that are the same; none where it is in the group of an earlier one."""
    sha256 = stored.info.sha256
    whole = [look for look in await store.looks.of(sha256) or [] if look.part == "whole"]
    group = [{**facts(stored), "distance": 0, "difference": 0.0}]
    for match in await store.looks.near(whole, most=SAME):
        if match.sha256 == sha256 or match.other_part != "whole":  # it is compared as a whole
            continue
        score = await _score(store, stored, match)
        if score is None:
            continue
        if match.sha256 < sha256:
            return []
        found = await store.catalog.select(Selection(prefix=match.sha256), limit=1)
        more = {"distance": match.distance, "difference": round(score, 3)}
        group += [{**facts(each), **more} for each in found]
    return group if len(group) > 1 else []


async def _score(store: ImageStore, stored: Stored, match: Match) -> float | None:
    """How much two pictures differ, if they are the same."""
    mine = await store.looks.small(stored.info.sha256)
    theirs = await store.looks.small(match.sha256)
    if mine is None or theirs is None or mine[1] is None or theirs[1] is None:
        return None
    pixels = await compared(mine[1], theirs[1], match)
    still = mine[0].frames == theirs[0].frames
    if pixels is None or likeness(match, pixels, still=still) != "same":
        return None
    return pixels.score


def _show(terminal: Terminal, groups: list[list[dict[str, Any]]], following: str) -> None:
    names = (say("id"), say("type"), say("pixels"), say("size"), say("last used"), say("bits"))
    for group in groups:
        rows = [
            (
                each["sha256"][:_DIGITS],
                each["mime"].removeprefix("image/"),
                f"{each['width']}×{each['height']}",
                localized(size_of(each["size"])),
                time_of(each["used"]),
                each["distance"],
            )
            for each in group
        ]
        terminal.table(names, rows, right=(2, 3, 5))
        terminal.line()
    images = images_of(sum(map(len, groups)))
    terminal.line(say("groups: {count}, with {images}", count=len(groups), images=images))
    if following:
        terminal.line(say("more: --after {after}", after=following))
