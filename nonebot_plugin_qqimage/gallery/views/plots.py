"""Plots, as numbers for SVG: columns over time, and bars with names."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ...attempts import words_of
from ...doctor.figures import images_of, size_of, source_words
from ...language import Text, localized, say
from ...store.local.browsing.figures import Day
from ...store.local.facts import Totals

WIDTH, HEIGHT = 600, 160
"""Units of the coordinates of columns."""
_GAP = 0.2
"""The share of a column's room that is left free."""
_HOURS = 72
_MAX_KINDS = 5
"""Kinds that have a colour of their own; the rest is put together."""


@dataclass(frozen=True)
class Column:
    """One piece of a column: a rectangle, and what it says."""

    x: float
    y: float
    width: float
    height: float
    kind: int
    """The number of its colour."""
    title: str


@dataclass(frozen=True)
class Columns:
    """Columns over time."""

    columns: list[Column]
    top: str
    """What the highest one amounts to."""
    first: str
    """Where time begins."""
    last: str
    """Where it ends."""
    kinds: list[str]
    """The names of the colours; none where there is only one."""


@dataclass(frozen=True)
class Bar:
    """A named number, with its share of the largest."""

    name: str
    said: str
    share: float
    """From 0 to 100."""
    query: str = ""
    """The filter that shows what is counted; empty for none."""


def by_day(days: Sequence[Day], count: int, *, of_bytes: bool) -> Columns:
    """Images, or their bytes, by the day on which they were stored."""
    found = {each.day: each.bytes if of_bytes else each.images for each in days}
    names = _last_days(count)
    said = size_of if of_bytes else images_of
    stacks = [(name, [(0, found.get(name, 0))]) for name in names]
    return _columns(stacks, lambda value: localized(said(round(value))), [])


def hit_rate(resolved: Mapping[int, Mapping[str, int]], count: int) -> Columns:
    """The share of images that the store had already, by the day."""
    stored: defaultdict[str, int] = defaultdict(int)
    every: defaultdict[str, int] = defaultdict(int)
    for hour, sources in resolved.items():
        day = time.strftime("%Y-%m-%d", time.localtime(hour * 3600))
        stored[day] += sources.get("store", 0)
        every[day] += sum(sources.values())
    stacks = [
        (name, [(0, stored[name] / every[name] * 100 if every[name] else 0.0)])
        for name in _last_days(count)
    ]
    return _columns(stacks, lambda value: f"{value:.0f} %", [], top=100.0)


def by_hour(failed: Mapping[int, Mapping[str, int]]) -> Columns:
    """Failures in the last three days, by the hour and the cause."""
    now = int(time.time() // 3600)
    hours = range(now - _HOURS + 1, now + 1)
    totals: defaultdict[str, int] = defaultdict(int)
    for hour in hours:
        for cause, count in failed.get(hour, {}).items():
            totals[cause] += count
    causes = sorted(totals, key=lambda cause: -totals[cause])
    named = causes[:_MAX_KINDS]
    kinds = [localized(words_of(cause)) for cause in named]
    if len(causes) > _MAX_KINDS:
        kinds.append(say("others"))
    stacks: list[tuple[str, list[tuple[int, float]]]] = []
    for hour in hours:
        found = failed.get(hour, {})
        parts = [(number, float(found.get(cause, 0))) for number, cause in enumerate(named)]
        rest = sum(count for cause, count in found.items() if cause not in named)
        name = time.strftime("%m-%d %H:00", time.localtime(hour * 3600))
        stacks.append((name, [*parts, (_MAX_KINDS, float(rest))]))
    return _columns(stacks, lambda value: localized(images_of(round(value))), kinds)


def by_source(sources: Mapping[str, Totals]) -> list[Bar]:
    """How many of the stored images came from where."""
    most = max((each.images for each in sources.values()), default=1)
    return [
        Bar(
            source_words(source),
            say("{images}, {size}", images=images_of(each.images), size=size_of(each.bytes)),
            100 * each.images / most,
            source,
        )
        for source, each in sources.items()
    ]


def by_chat(chats: Sequence[tuple[str, int]]) -> list[Bar]:
    """The chats in which most images were seen."""
    most = max((count for _, count in chats), default=1)
    return [Bar(chat, images_of(count).local, 100 * count / most, chat) for chat, count in chats]


def _columns(
    stacks: Sequence[tuple[str, Iterable[tuple[int, float]]]],
    said: Callable[[float], str],
    kinds: list[str],
    top: float = 0.0,
) -> Columns:
    """Columns of pieces, one upon the other.

    Args:
        stacks: the name of each column, and the kind and value of each of its pieces.
        said: puts a value into words.
        kinds: their names.
        top: the highest value there can be; 0 for that of the highest column.
    """
    stacks = [(name, [*pieces]) for name, pieces in stacks]
    top = top or max((sum(value for _, value in pieces) for _, pieces in stacks), default=0)
    room = WIDTH / max(len(stacks), 1)
    columns: list[Column] = []
    for place, (name, pieces) in enumerate(stacks):
        y = float(HEIGHT)
        for kind, value in pieces:
            if value <= 0:
                continue
            height = max(1.0, HEIGHT * value / top)
            y -= height
            text = said(value)
            if kinds:
                text = Text("{kind}: {text}", kind=kinds[min(kind, len(kinds) - 1)], text=text)
            title = say("{name}: {text}", name=name, text=text)
            x = round((place + _GAP / 2) * room, 2)
            columns.append(
                Column(x, round(y, 2), round(room * (1 - _GAP), 2), round(height, 2), kind, title)
            )
    return Columns(columns, said(top), stacks[0][0], stacks[-1][0], kinds)


def _last_days(count: int) -> list[str]:
    today = date.today()
    return [(today - timedelta(days=back)).isoformat() for back in range(count - 1, -1, -1)]
