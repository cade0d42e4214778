"""Figures over time, for plots. Every function blocks, some for a second where there is much."""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from .. import notes
from ..sqlite.database import Connection

_HOUR = 3600
_KEPT_HOURS = 31 * 24
"""Hours for which counts are kept by the hour."""
_BY_HOUR = frozenset(("resolved", "failed"))


@dataclass(frozen=True)
class Day:
    """What was stored on one day, as far as it still is."""

    day: str
    """The date in local time, such as ``2026-01-31``."""
    images: int
    """How many images."""
    bytes: int
    """Their bytes."""


@dataclass(frozen=True)
class Figures:
    """What plots are made of."""

    days: list[Day]
    """The last days, the earliest first; days without an image are left out."""
    chats: list[tuple[str, int]]
    """The chats in which most images were seen, with how many."""
    resolved: dict[int, dict[str, int]]
    """Images that came, by the hour (hours since the epoch) and by where they came from."""
    failed: dict[int, dict[str, int]]
    """Images that did not come, by the hour and by the cause."""


def figures(db: Connection, *, days: int, chats: int) -> Figures:
    """Everything that plots need.

    Args:
        db: the connection.
        days: how far back.
        chats: how many of them.
    """
    since = time.time() - days * 24 * _HOUR
    rows = db.rows(
        "SELECT date(added, 'unixepoch', 'localtime') day, count(*), sum(size) FROM images "
        "WHERE added >= ? GROUP BY day ORDER BY day",
        since,
    )
    seen = db.rows(
        "SELECT chat, count(*) FROM sightings GROUP BY chat ORDER BY 2 DESC LIMIT ?", chats
    )
    return Figures(
        [Day(*row) for row in rows],
        [(chat, count) for chat, count in seen],
        by_hour(db, "resolved"),
        by_hour(db, "failed"),
    )


def count_by_hour(db: Connection, counts: Mapping[tuple[str, str], int]) -> None:
    """Count what comes and fails by the hour, too; hours long gone are forgotten."""
    hour = int(time.time() // _HOUR)
    some = {each: n for each, n in counts.items() if each[0] in _BY_HOUR}
    if not some:
        return
    notes.add_counts(db, {(_name(kind, hour), what): n for (kind, what), n in some.items()})
    for kind in {kind for kind, _ in some}:
        first, last = _name(kind, 0), _name(kind, hour - _KEPT_HOURS)
        db.run("DELETE FROM counters WHERE kind >= ? AND kind < ?", first, last)


def by_hour(db: Connection, kind: str) -> dict[int, dict[str, int]]:
    """What was counted of a kind in each of the last hours (since the epoch)."""
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    rows = db.rows(
        "SELECT kind, what, count FROM counters WHERE kind >= ? AND kind < ?",
        *(_name(kind, 0), _name(kind, 10**9)),
    )
    for name, what, count in rows:
        found[int(name.rpartition(" ")[2])][what] = count
    return dict(found)


def _name(kind: str, hour: int) -> str:
    return f"{kind} in hour {hour:010d}"
