"""``verify``: every stored byte compared with its SHA-256, and the index with the files."""

import argparse
from collections import Counter

from ..store.local.index import Index
from ..store.local.maintenance import Finding, Trouble
from .commands import Commands
from .session import TROUBLE, Result, Session
from .terminal import Terminal

_MEANINGS: dict[Trouble, str] = {
    "damaged": "other bytes than its name says",
    "missing": "in the index, but not on the disk",
    "unreadable": "the system does not let it be read",
    "unindexed": "on the disk, but not in the index",
    "leftover": "what a killed process left behind",
    "foreign": "not ours, left alone",
}
_MAX_SHOWN = 50


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("verify", verify, "read and verify every stored image")
    parser.add_argument(
        "--repair", action="store_true", help="put what is damaged aside, and the index right"
    )


async def verify(session: Session, arguments: argparse.Namespace) -> Result:
    """Look at everything."""
    findings = await sweep(session, "verify", deep=True, repair=arguments.repair)
    wrong = await session.store.query(_index_trouble)
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
        rows = [(each.trouble, _MEANINGS[each.trouble], each.name) for each in findings]
        if rows:
            terminal.table(["trouble", "meaning", "file"], rows[:_MAX_SHOWN])
        if len(rows) > _MAX_SHOWN:
            terminal.line(f"… and {len(rows) - _MAX_SHOWN} more")
        if wrong:
            terminal.line(f"the index: {wrong}")
        terminal.line(f"{totals.images} images, {summary(found)}")
        if _is_trouble(found) and not arguments.repair:
            terminal.line("verify --repair puts it right")

    return Result(document, show, TROUBLE if wrong or _is_trouble(found) else 0)


async def sweep(session: Session, what: str, *, deep: bool, repair: bool) -> list[Finding]:
    """Check the store part by part; what is wrong with it."""
    findings: list[Finding] = []
    steps = await session.store.steps()
    with session.terminal.progress(what, len(steps)) as advance:
        for done, step in enumerate(steps):
            advance(done)
            findings += await session.store.check(step, deep=deep, repair=repair)
    return findings


def summary(found: Counter[str]) -> str:
    """What was found, in words."""
    return ", ".join(f"{n} {trouble}" for trouble, n in found.most_common()) or "nothing wrong"


def _is_trouble(found: Counter[str]) -> bool:
    return any(found[trouble] for trouble in found if trouble != "foreign")


def _index_trouble(index: Index) -> str:
    return index.quick_check()
