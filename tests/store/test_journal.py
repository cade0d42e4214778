"""The journal: what waits to be written down, and how much of it at most."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.store.journal import Journal
from nonebot_plugin_qqimage.store.local.access import Access
from nonebot_plugin_qqimage.store.local.sightings import Seen


class Index:
    """An index that cannot be written while it is broken."""

    def __init__(self) -> None:
        self.broken = False
        self.written: list[Any] = []

    async def write(self, work: Callable[[Any], object]) -> None:
        if self.broken:
            raise StoreError("database is locked")
        self.written.append(cast(Any, work).__self__)

    @property
    def messages(self) -> list[str]:
        rows = [row for each in self.written for row in each.rows]
        return [row.sighting.reference.message_id for row in rows]


@pytest.fixture
def index() -> Index:
    return Index()


def journal_of(index: Index, **bounds: int) -> Journal:
    return Journal(cast(Access, index), **bounds)


def seen(number: int, url: str = "") -> Seen:
    reference = ImageReference("1", str(number), url=url)
    return Seen.of(Sighting(reference, "group:1", "2", 1.0), None)


async def test_everything_is_written_once(index: Index) -> None:
    journal = journal_of(index)
    for number in (1, 2):
        journal.add(seen(number))
    journal.use("ab", 5.0)
    journal.use("ab", 6.0)
    for _ in range(3):
        journal.count("failed", "timeout")
    await journal.flush()
    await journal.flush()
    (pending,) = index.written
    assert pending.uses == {"ab": 6.0}
    assert pending.counts == {("failed", "timeout"): 3}
    assert index.messages == ["1", "2"]
    await journal.close()


async def test_what_could_not_be_written_comes_first_the_next_time(index: Index) -> None:
    journal = journal_of(index)
    journal.add(seen(1))
    journal.count("failed", "timeout")
    journal.use("ab", 5.0)
    index.broken = True
    with pytest.raises(StoreError):
        await journal.flush()
    journal.add(seen(2))
    journal.count("failed", "timeout")
    journal.use("ab", 6.0)
    index.broken = False
    await journal.flush()
    (pending,) = index.written
    assert index.messages == ["1", "2"]
    assert pending.counts == {("failed", "timeout"): 2}
    assert pending.uses == {"ab": 6.0}
    await journal.close()


async def test_the_oldest_go_when_there_are_too_many(index: Index) -> None:
    journal = journal_of(index, max_rows=10)
    for number in range(25):
        journal.add(seen(number))
        journal.use(str(number), 1.0)
    index.broken = True
    with pytest.raises(StoreError):
        await journal.flush()
    journal.add(seen(25))
    index.broken = False
    await journal.flush()
    assert index.messages == [str(number) for number in range(16, 26)]
    assert len(index.written[0].uses) == 10
    await journal.close()


async def test_the_oldest_go_when_they_are_too_long(index: Index) -> None:
    journal = journal_of(index, max_text=1000)
    for number in range(8):
        journal.add(seen(number, "http://a.test/" + "x" * 200))
    await journal.flush()
    assert index.messages[-1] == "7"
    assert 1 <= len(index.messages) <= 4
    await journal.close()
