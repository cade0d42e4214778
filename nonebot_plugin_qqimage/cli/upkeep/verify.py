"""``verify``: every stored byte compared with its SHA-256, and the index with the files."""

import argparse
from collections import Counter

from ...doctor.figures import counted, images_of
from ...language import Text, localized, say
from ...store.local.upkeep.maintenance import Finding, Trouble, in_words
from ..session.commands import Commands
from ..session.session import TROUBLE, Result, Session
from ..terminal.terminal import Terminal

_MEANINGS: dict[Trouble, Text] = {
    "damaged": Text("other bytes than its name says"),
    "missing": Text("in the index, but not on the disk"),
    "unreadable": Text("the system does not let it be read"),
    "unindexed": Text("on the disk, but not in the index"),
    "leftover": Text("what a killed process left behind"),
    "foreign": Text("not ours, left alone"),
}
_MAX_SHOWN = 50


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("verify", verify, say("read and verify every stored image"))
    parser.add_argument(
        "--repair",
        action="store_true",
        help=say("put what is damaged aside, and the index right"),
    )


async def verify(session: Session, arguments: argparse.Namespace) -> Result:
    """Look at everything."""
    findings = await sweep(session, "verify", deep=True, repair=arguments.repair)
    wrong = await session.store.catalog.index_trouble()
    totals = await session.store.totals()
    found = Counter(finding.trouble for finding in findings)
    document = {
        "images": totals.images,
        "bytes": totals.bytes,
        "repaired": arguments.repair,
        "found": dict(found),
        "findings": [vars(finding) for finding in findings],
        "index": wrong,
    }

    def show(terminal: Terminal) -> None:
        rows = [
            (in_words(each.trouble).local, _MEANINGS[each.trouble].local, each.name)
            for each in findings
        ]
        if rows:
            names = say("trouble"), say("meaning"), say("file")
            terminal.table(names, rows[:_MAX_SHOWN])
        if len(rows) > _MAX_SHOWN:
            terminal.line(say("… and {count} more", count=len(rows) - _MAX_SHOWN))
        if wrong:
            terminal.line(say("the index: {trouble}", trouble=wrong))
        images = images_of(totals.images)
        terminal.line(say("{images}, {found}", images=images, found=summary(found)))
        if _is_trouble(found) and not arguments.repair:
            terminal.line(say("verify --repair puts it right"))

    return Result(document, show, TROUBLE if wrong or _is_trouble(found) else 0)


async def sweep(session: Session, what: str, *, deep: bool, repair: bool) -> list[Finding]:
    """Check the store part by part; what is wrong with it."""
    findings: list[Finding] = []
    steps = await session.store.upkeep.steps()
    with session.terminal.progress(what, len(steps)) as advance:
        for done, step in enumerate(steps):
            advance(done)
            findings += await session.store.upkeep.check(step, deep=deep, repair=repair)
    return findings


def summary(found: Counter[str]) -> str:
    """What was found, for people."""
    return localized(counted(found.most_common(), in_words) or Text("nothing wrong"))


def _is_trouble(found: Counter[str]) -> bool:
    return any(found[trouble] for trouble in found if trouble != "foreign")
