"""What waits to be written down, and how much of it at most."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.store.local import images, notes
from nonebot_plugin_qqimage.store.local.access.access import Access
from nonebot_plugin_qqimage.store.local.sightings import sightings
from nonebot_plugin_qqimage.store.local.sightings.sightings import IsImage
from nonebot_plugin_qqimage.store.memory.journal import Journal

from .pictures import Picture


class FailingAccess(Access):
    """An index that cannot be written while it fails."""

    failing = False

    async def write(self, work):  # type: ignore[no-untyped-def]
        if self.failing:
            raise StoreError("the disk is full")
        return await super().write(work)


@pytest.fixture
async def access(tmp_path: Path) -> AsyncIterator[FailingAccess]:
    access = FailingAccess(tmp_path)
    yield access
    await access.close()


def seen(number: int, *, file: str = "a.png", content: str = "") -> Sighting:
    reference = ImageReference("1", str(number), file=file, content=content)
    return Sighting(reference, "group:1", "5", float(number))


async def written(access: Access) -> list[int]:
    """The numbers of the sightings in the index, in the order in which they were written."""
    rows = await access.read(lambda db: db.rows("SELECT message FROM sightings ORDER BY id"))
    return [int(message) for (message,) in rows]


async def test_everything_is_written_once(access: FailingAccess) -> None:
    journal, picture = Journal(access), Picture(1)
    await access.write(lambda db: images.add(db, picture.info, "", "test"))
    journal.use(picture.info.sha256, 4e9)
    for number in (1, 2):
        journal.add(seen(number))
    for _ in range(3):
        journal.count("failed", "timeout")
    for _ in range(2):
        await journal.flush()
    assert await written(access) == [1, 2]
    assert await access.read(lambda db: notes.counters(db, "failed")) == {"timeout": 3}
    assert await access.read(lambda db: images.unused(db, 1, before=3e9)) == []


async def test_what_could_not_be_written_comes_first_the_next_time(access: FailingAccess) -> None:
    journal = Journal(access)
    journal.add(seen(1))
    journal.count("failed", "timeout")
    access.failing = True
    with pytest.raises(StoreError):
        await journal.flush()
    journal.add(seen(2))
    journal.count("failed", "timeout")
    access.failing = False
    await journal.flush()
    assert await written(access) == [1, 2]
    assert await access.read(lambda db: notes.counters(db, "failed")) == {"timeout": 2}


async def test_the_oldest_go_when_there_are_too_many(access: FailingAccess) -> None:
    journal = Journal(access, max_rows=10)
    access.failing = True
    for number in range(25):
        journal.add(seen(number))
        journal.use(str(number), 1.0)
    with pytest.raises(StoreError):
        await journal.flush()
    journal.add(seen(25))
    access.failing = False
    await journal.flush()
    assert await written(access) == list(range(16, 26))


async def test_the_oldest_go_when_they_are_too_long(access: FailingAccess) -> None:
    journal = Journal(access, max_text=130)
    for number in range(8):
        journal.add(seen(number, file="x" * 60))
    await journal.flush()
    assert await written(access) == [6, 7]


async def test_rows_are_written_in_their_order(access: FailingAccess) -> None:
    journal, info = Journal(access), Picture(1).info
    for number in (1, 2, 3):
        journal.add(seen(number))
        if number == 2:
            journal.add(IsImage.of(seen(1).reference, info))
    journal.add(IsImage.of(seen(3).reference, info))
    await journal.flush()
    found = await access.read(
        lambda db: sightings.find(db, sightings.Query(sha256=info.sha256, limit=5))
    )
    assert [sighting.time for sighting in found] == [3.0, 1.0]


def test_the_image_itself_is_not_held() -> None:
    reference = seen(1, content="base64://" + "A" * 10**6).reference
    assert reference.lean() == seen(1).reference
    assert reference.lean().place == reference.place != seen(1).reference.place


async def test_half_an_emoji_is_made_storable(access: FailingAccess) -> None:
    journal = Journal(access)
    reference = ImageReference("1", "1", file="图\ud83d.png")
    journal.add(Sighting(reference, "group:1", "a\ud83d", 1.0))
    await journal.flush()
    (found,) = await access.read(lambda db: sightings.find(db, sightings.Query(limit=5)))
    assert (found.user, found.reference.file) == ("a?", "图?.png")
