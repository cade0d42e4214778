"""``stats``: what the store holds, and how well it serves."""

import argparse
from collections.abc import Mapping
from typing import Any

from ..doctor.figures import size_of
from ..store.local.index import Index
from .commands import Commands
from .session import Result, Session
from .terminal import Terminal


def add(commands: Commands) -> None:
    """Add the command."""
    commands.add("stats", stats, "what the store holds, and how well it serves")


async def stats(session: Session, arguments: argparse.Namespace) -> Result:
    """Count everything."""
    document = await session.store.query(count)
    aside = await session.store.quarantined()
    document["quarantine"] = {"files": aside.images, "bytes": aside.bytes}
    return Result(document, lambda terminal: _show(terminal, document))


def count(index: Index) -> dict[str, Any]:
    """The figures that the index knows. Blocks."""
    totals = index.totals()
    resolved = index.counters("resolved")
    asked = sum(resolved.values())
    return {
        "images": totals.images,
        "bytes": totals.bytes,
        "by_type": {what: vars(each) for what, each in index.counted_by("mime").items()},
        "by_source": {what: vars(each) for what, each in index.counted_by("source").items()},
        "resolved": resolved,
        "hit_rate": resolved.get("store", 0) / asked if asked else None,
        "failed": index.counters("failed"),
        "store_trouble": index.counters("store"),
        "sightings": index.sightings.count(),
        "pinned": index.pinned(),
    }


def _show(terminal: Terminal, document: Mapping[str, Any]) -> None:
    aside = document["quarantine"]
    terminal.facts(
        {
            "images": f"{document['images']} ({size_of(document['bytes'])})",
            "hit rate": hit_rate(document),
            "sightings": document["sightings"],
            "pinned": document["pinned"],
            "quarantine": f"{aside['files']} files ({size_of(aside['bytes'])})",
        }
    )
    for title in ("by_type", "by_source"):
        if document[title]:
            rows = [(k, v["images"], size_of(v["bytes"])) for k, v in document[title].items()]
            terminal.line()
            terminal.table([title.replace("_", " "), "images>", "size>"], rows)
    for title, name in {
        "resolved, by where from": "resolved",
        "failed, by cause": "failed",
        "trouble with files": "store_trouble",
    }.items():
        if document[name]:
            terminal.line()
            terminal.table([title, "times>"], list(document[name].items()))


def hit_rate(document: Mapping[str, Any]) -> str:
    """The share of wanted images that the store had already, in words."""
    share, asked = document["hit_rate"], sum(document["resolved"].values())
    return "nothing asked for yet" if share is None else f"{share:.1%} of {asked} from the store"
