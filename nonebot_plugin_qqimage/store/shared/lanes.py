"""Lanes: what waits in an outbox, divided so that both parts can be sent at the same time."""

from collections.abc import Hashable, Iterator, Mapping, Sequence

from ..local.outbox import Entry


def lanes(entries: Sequence[Entry], sizes: Mapping[str, int]) -> list[list[Entry]]:
    """Two parts of some entries that say nothing of the same image, name, segment or message.

    PostgreSQL writes an image of 100 KB in one of its processes slower than a host can send it, and
    makes no use of a second processor for what comes by one connection.

    Args:
        entries: images and sightings; those of a part stay in their order.
        sizes: bytes that are sent of an image, by SHA-256; none of those that are there.

    Returns:
        Those of the two parts that hold any entries; they send about as many bytes.
    """
    groups = _Groups()
    for entry in entries:
        groups.join(_subjects(entry))
    weights: dict[Hashable, int] = {}
    for sha256, size in sizes.items():
        group = groups.of(("image", sha256))
        weights[group] = weights.get(group, 0) + size
    parts: tuple[list[Entry], list[Entry]] = ([], [])
    bytes_, where = [0, 0], dict[Hashable, int]()
    for entry in entries:
        group = groups.of(next(_subjects(entry)))
        if group not in where:
            lighter = where[group] = bytes_.index(min(bytes_))
            bytes_[lighter] += weights.get(group, 0)
        parts[where[group]].append(entry)
    return [part for part in parts if part]


class _Groups:
    """What belongs together, because one thing was said of it."""

    def __init__(self) -> None:
        self._others: dict[Hashable, Hashable] = {}

    def of(self, one: Hashable) -> Hashable:
        """What stands for the group of something."""
        while (other := self._others.get(one, one)) != one:
            # half the way for whoever comes next, so that no way grows long
            self._others[one] = self._others.get(other, other)
            one = other
        return one

    def join(self, some: Iterator[Hashable]) -> None:
        """Make one group of the groups of several."""
        first = self.of(next(some))
        for each in some:
            self._others[self.of(each)] = first


def _subjects(entry: Entry) -> Iterator[Hashable]:
    """What an entry says something of; one at least."""
    if entry.sha256:
        yield "image", entry.sha256
    if entry.kind == "image":
        for name in entry.body[0]:
            yield "name", name
    elif entry.kind == "sighting":
        yield "message", entry.body[0], entry.body[1]
        if entry.body[7]:
            yield "segment", entry.body[7]
    else:
        keys, message, bot, *_ = entry.body
        yield "message", message, bot
        for key in keys:
            yield "segment", key
