"""``stats``: what the store holds, and how well it serves."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ...attempts import words_of
from ...doctor.figures import files_of, size_of, source_words
from ...doctor.store.storage import in_words_of_links
from ...language import localized, say
from ...pipeline.fairness import congestion
from ...store.local.facts import Statistics, Totals
from ...store.local.upkeep.maintenance import in_words
from ..session.commands import Commands
from ..session.session import Result, Session
from ..terminal.terminal import Terminal


def add(commands: Commands) -> None:
    """Add the command."""
    commands.add("stats", stats, say("what the store holds, and how well it serves"))


async def stats(session: Session, arguments: argparse.Namespace) -> Result:
    """Count everything."""
    found = await session.store.catalog.statistics()
    folder = str(session.store.folder)
    document = {"folder": folder, **_document(found)}
    return Result(document, lambda terminal: _show(terminal, folder, found))


def _document(found: Statistics) -> dict[str, Any]:
    return {
        "images": found.totals.images,
        "bytes": found.totals.bytes,
        "by_type": {what: asdict(totals) for what, totals in found.by_type.items()},
        "by_source": {what: asdict(totals) for what, totals in found.by_source.items()},
        "resolved": found.resolved,
        "hit_rate": found.hit_rate,
        "failed": found.failed,
        "delayed": found.delayed,
        "left_out": found.left_out,
        "store_trouble": found.store_trouble,
        "sightings": found.sightings,
        "pinned": found.pinned,
        "links": {**found.links._asdict(), "binding": found.links.binding},
        "quarantine": {"files": found.quarantine.images, "bytes": found.quarantine.bytes},
    }


def _show(terminal: Terminal, folder: str, found: Statistics) -> None:
    aside, totals = found.quarantine, found.totals
    terminal.facts(
        {
            say("folder"): folder,
            say("images"): f"{totals.images} ({localized(size_of(totals.bytes))})",
            say("hit rate"): _hit_rate(found),
            say("sightings"): found.sightings,
            say("pinned"): found.pinned,
            say("links"): in_words_of_links(found.links).local,
            say("quarantine"): say(
                "{files} ({size})", files=files_of(aside.images), size=size_of(aside.bytes)
            ),
        }
    )
    _show_totals(terminal, say("by type"), found.by_type)
    _show_totals(terminal, say("by source"), found.by_source)
    sources = {source_words(source): count for source, count in found.resolved.items()}
    _show_counts(terminal, say("resolved, by where from"), sources)
    causes = {localized(words_of(cause)): count for cause, count in found.failed.items()}
    _show_counts(terminal, say("failed, by cause"), causes)
    delayed = {localized(congestion.in_words(why)): n for why, n in found.delayed.items()}
    _show_counts(terminal, say("had to wait, by why"), delayed)
    left_out = {localized(congestion.in_words(why)): n for why, n in found.left_out.items()}
    _show_counts(terminal, say("not fetched in advance, by why"), left_out)
    trouble = {in_words(what).local: count for what, count in found.store_trouble.items()}
    _show_counts(terminal, say("trouble with files"), trouble)


def _show_totals(terminal: Terminal, title: str, totals: Mapping[str, Totals]) -> None:
    if totals:
        rows = [
            (source_words(what), each.images, localized(size_of(each.bytes)))
            for what, each in totals.items()
        ]
        terminal.line()
        terminal.table([title, say("images"), say("size")], rows, right=(1, 2))


def _show_counts(terminal: Terminal, title: str, counts: Mapping[str, int]) -> None:
    if counts:
        terminal.line()
        terminal.table([title, say("times")], list(counts.items()), right=(1,))


def _hit_rate(found: Statistics) -> str:
    """The share of wanted images that the store had already, in words."""
    if found.hit_rate is None:
        return say("nothing asked for yet")
    return say(
        "{share:.1%} of {count} from the store",
        share=found.hit_rate,
        count=sum(found.resolved.values()),
    )
