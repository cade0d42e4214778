"""The store as the rest of the plugin sees it."""

# ruff: noqa: ASYNC240  short looks at small local files

import asyncio
import contextlib
import errno
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.messages.reference import ImageReference, from_uri
from nonebot_plugin_qqimage.messages.segments import from_segment
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.local import images
from nonebot_plugin_qqimage.store.local.facts import Totals
from nonebot_plugin_qqimage.store.local.sqlite import database
from nonebot_plugin_qqimage.store.local.sqlite.database import Connection
from nonebot_plugin_qqimage.store.memory import journal

from .inside import look
from .pictures import Clock, OpenStore, Picture


async def put(store: ImageStore, picture: Picture, reference: ImageReference | None = None) -> None:
    await store.put(reference or picture.reference, picture.info, picture.data, "test")


async def put_many(store: ImageStore, numbers: Iterable[int]) -> None:
    for number in numbers:
        await put(store, Picture(number))


def leftovers(folder: Path) -> list[Path]:
    return list(folder.rglob(".new-*"))


async def test_what_is_put_is_found_and_read(store: ImageStore, picture: Picture) -> None:
    assert await store.find(picture.reference) is None
    await put(store, picture)
    assert await store.find(picture.reference) == picture.info
    assert await store.read(picture.info) == picture.data
    assert store.path(picture.info).read_bytes() == picture.data
    assert await store.totals() == Totals(1, len(picture.data))


async def test_many_are_looked_up_at_once(store: ImageStore) -> None:
    await put_many(store, range(0, 40, 2))
    store._memory.clear()  # pyright: ignore[reportPrivateUsage]
    pictures = [Picture(number) for number in range(40)]
    gone = asyncio.create_task(store.find(pictures[0].reference))
    looking = [asyncio.create_task(store.find(picture.reference)) for picture in pictures]
    await asyncio.sleep(0)
    gone.cancel()  # is the concern of nobody else
    found = await asyncio.gather(*looking)
    assert found == [None if n % 2 else picture.info for n, picture in enumerate(pictures)]


async def test_all_who_look_up_at_once_are_told_what_is_wrong(
    store: ImageStore, picture: Picture
) -> None:
    await store.close()
    looking = (store.find(replace(picture.reference, message_id=str(n))) for n in range(5))
    for error in await asyncio.gather(*looking, return_exceptions=True):
        assert isinstance(error, StoreError)


async def test_what_was_seen_is_told_when_somebody_asks(
    store: ImageStore, picture: Picture
) -> None:
    sighting = Sighting(picture.reference, "group:1", "30001", 1.0)
    store.saw(sighting)
    store.is_image(picture.reference, picture.info)  # found out before it is written down
    (found,) = await store.sightings(limit=5)
    assert found == replace(sighting, sha256=picture.info.sha256)


async def test_many_sightings_at_once(store: ImageStore) -> None:
    for number in range(200):
        for again in range(2):  # seen again, as when it is quoted: the first sighting stays
            store.saw(Sighting(Picture(number).reference, "group:0", f"3000{again}", 1.0))
    found = await store.sightings(limit=500)
    seen = [int(sighting.reference.message_id) for sighting in found]
    assert seen == list(reversed(range(200)))  # the latest first, though all at the same time
    assert {sighting.user for sighting in found} == {"30000"}
    stamps = [sighting.arrived for sighting in found]
    assert stamps == sorted(stamps, reverse=True)
    assert len({*stamps}) == 200


async def test_it_is_found_again_after_a_restart(open_store: OpenStore, picture: Picture) -> None:
    first = open_store()
    await put(first, picture)
    await first.close()
    second = open_store()
    assert await second.find(picture.reference) == picture.info
    assert await second.read(picture.info) == picture.data


async def test_two_processes_share_a_folder(open_store: OpenStore, picture: Picture) -> None:
    one, other = open_store(), open_store()
    assert await one.find(picture.reference) is None
    assert await other.find(picture.reference) is None
    await put(one, picture)
    assert await other.find(picture.reference) == picture.info
    assert await other.read(picture.info) == picture.data
    await put(other, picture)
    assert await one.totals() == Totals(1, len(picture.data))


async def test_many_processes_write_at_once(open_store: OpenStore) -> None:
    stores = [open_store() for _ in range(4)]
    pictures = [Picture(number) for number in range(12)]
    await asyncio.gather(*(put(store, picture) for store in stores for picture in pictures))
    assert (await stores[0].totals()).images == len(pictures)
    for picture in pictures:
        assert await stores[-1].read(picture.info) == picture.data


async def test_the_same_picture_is_kept_once(store: ImageStore, picture: Picture) -> None:
    for message in "123":
        await put(store, picture, ImageReference("1", message, file="photo.jpg"))
    assert await store.totals() == Totals(1, len(picture.data))


async def test_a_uri_finds_it(store: ImageStore, picture: Picture) -> None:
    await put(store, picture)
    assert await store.find(from_uri(picture.info.uri)) == picture.info
    assert await store.find(from_uri("qqimage:" + "0" * 64)) is None


async def test_a_confirmed_name_speaks_for_every_message(
    store: ImageStore, picture: Picture
) -> None:
    await put(store, picture)
    for size in (None, len(picture.data)):
        elsewhere = ImageReference("2", "99", 3, file=f"{picture.info.md5}.jpg", size=size)
        assert await store.find(elsewhere) == picture.info


async def test_a_name_of_another_size_is_no_hit(store: ImageStore, picture: Picture) -> None:
    await put(store, picture)
    assert await store.find(replace(picture.reference, message_id="9", size=7)) is None


@pytest.mark.parametrize("file", ["ab" * 16 + ".png", "photo.jpg", "", "{GUID}.jpg"])
async def test_an_unconfirmed_name_speaks_for_its_own_place_only(
    store: ImageStore, picture: Picture, file: str
) -> None:
    reference = ImageReference("1", "10", 0, file=file, url="https://h/x")
    await put(store, picture, reference)
    assert await store.find(reference) == picture.info
    for other in (
        replace(reference, message_id="11"),
        replace(reference, position=1),
        replace(reference, self_id="2"),
        replace(reference, message_id=""),
    ):
        assert await store.find(other) is None


async def test_a_forged_name_never_replaces_the_real_picture(store: ImageStore) -> None:
    real, forged = Picture(1), Picture(2)
    victim = real.reference
    await put(store, forged, replace(victim, self_id="666", message_id="666"))
    assert await store.find(victim) is None
    await put(store, real)
    assert await store.find(victim) == real.info


async def test_a_market_face_is_found_everywhere(store: ImageStore, picture: Picture) -> None:
    await put(store, picture, ImageReference("1", "10", face_id="abcd"))
    assert await store.find(ImageReference("2", "20", 5, face_id="abcd")) == picture.info
    assert await store.find(ImageReference("1", "10", face_id="other")) is None


async def test_two_pictures_at_one_place_are_two(store: ImageStore) -> None:
    """As where the id of a message is used twice, or forwarded ones have none."""
    first, second = Picture(1), Picture(2)
    place = ImageReference("1", "0", 0)
    for picture in (first, second):
        await put(store, picture, replace(place, file=f"{picture.info.md5}.png"))
    assert await store.find(replace(place, file=f"{first.info.md5}.png")) == first.info
    assert await store.find(replace(place, file="unheard of.png")) is None
    assert store.known(replace(place, file="ab" * 16 + ".png")) is None


async def test_a_place_can_come_to_mean_another_picture(store: ImageStore) -> None:
    reference = ImageReference("1", "10", file="photo.jpg")
    first, second = Picture(1), Picture(2)
    await put(store, first, reference)
    await put(store, second, reference)
    assert await store.find(reference) == second.info
    assert await store.read(first.info) == first.data


@given(
    file=st.text(st.characters(), max_size=40) | st.just("") | st.from_regex(r"[0-9a-f]{32}"),
    emoji_id=st.text(st.characters(), max_size=10),
    size=st.integers(0, 1 << 50),
    confirmed=st.booleans(),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_the_segment_says_what_is_put_is_found_again(
    tmp_path: Path, file: str, emoji_id: str, size: int, confirmed: bool
) -> None:
    picture = Picture(1)
    name = f"{picture.info.md5}.png" if confirmed else file
    data = {"file": name, "emoji_id": emoji_id, "file_size": size}
    reference = from_segment({"type": "image", "data": data}, "1", "10")
    assert reference is not None

    async def run() -> None:
        shutil.rmtree(tmp_path / "s", ignore_errors=True)
        store = ImageStore(tmp_path / "s", max_size=1 << 30, max_age=1e9)
        try:
            await put(store, picture, reference)
            assert await store.find(reference) == picture.info
        finally:
            await store.close()

    asyncio.run(run())


def damage_by_flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def damage_by_cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def damage_by_emptying(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [damage_by_flip, damage_by_cut, damage_by_emptying])
async def test_a_damaged_file_is_put_aside_and_forgotten(
    store: ImageStore, folder: Path, picture: Picture, damage: object
) -> None:
    assert callable(damage)
    await put(store, picture)
    path = store.path(picture.info)
    damage(path)
    assert await store.read(picture.info) is None
    assert not path.exists()
    (aside,) = (folder / "quarantine").iterdir()
    assert aside.name.endswith(path.name)
    assert await store.catalog.counters("store") == {"damaged": 1}
    assert await store.find(picture.reference) is None
    assert await store.totals() == Totals(0, 0)
    await put(store, picture)
    assert await store.read(picture.info) == picture.data


@pytest.mark.parametrize("damage", [damage_by_flip, damage_by_cut, damage_by_emptying, Path.unlink])
@pytest.mark.parametrize("restarted", [False, True])
async def test_what_comes_again_replaces_a_damaged_file(
    open_store: OpenStore, picture: Picture, damage: object, restarted: bool
) -> None:
    assert callable(damage)
    store = open_store()
    await put(store, picture)
    damage(store.path(picture.info))
    if restarted:
        store = open_store()
    await put(store, picture)
    assert store.path(picture.info).read_bytes() == picture.data
    assert await store.find(picture.reference) == picture.info
    assert await store.totals() == Totals(1, len(picture.data))


async def test_a_vanished_file_is_a_miss(store: ImageStore, picture: Picture) -> None:
    await put(store, picture)
    store.path(picture.info).unlink()
    assert await store.read(picture.info) is None
    assert await store.find(picture.reference) is None
    await put(store, picture)
    assert await store.read(picture.info) == picture.data


async def test_a_store_of_a_newer_version_is_left_alone(
    open_store: OpenStore, folder: Path, picture: Picture
) -> None:
    folder.mkdir(parents=True)
    path = folder / "index.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE novelty (a)")
        database.execute("PRAGMA user_version = 9999")
    before = path.read_bytes()
    store = open_store()
    for _ in range(2):
        with pytest.raises(StoreError, match="newer version") as caught:
            await store.find(picture.reference)
        assert "update the plugin" in str(caught.value)
        assert str(path) in str(caught.value)
    with pytest.raises(StoreError, match="newer version"):
        await put(store, picture)
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in folder.glob("index*")) == ["index.sqlite3"]


async def test_an_unusable_folder_is_named_until_it_is_usable(
    store: ImageStore, folder: Path, picture: Picture
) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")
    for call in (
        store.find(picture.reference),
        put(store, picture),
        store.totals(),
        store.upkeep.evict(),
    ):
        with pytest.raises(StoreError, match=str(folder)):
            await call
    folder.unlink()
    await put(store, picture)
    assert await store.read(picture.info) == picture.data


@pytest.mark.parametrize("function", ["fsync", "link"])
async def test_a_full_disk_is_named_and_leaves_nothing_behind(
    store: ImageStore,
    folder: Path,
    picture: Picture,
    function: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = Picture(2)
    await put(store, before)

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, function, full)
        if function == "link":  # then, as where there are no links, it is renamed
            patch.setattr(os, "replace", full)
        with pytest.raises(StoreError, match="No space left on device"):
            await put(store, picture)
        assert leftovers(folder) == []
        assert await store.find(picture.reference) is None
        assert await store.read(before.info) == before.data
    await put(store, picture)
    assert await store.read(picture.info) == picture.data


class FullDisk(sqlite3.Connection):
    """A database on a disk that can only be read any more."""

    full = False

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        if self.full and statement.lstrip().startswith(("UPDATE", "INSERT", "DELETE")):
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(statement, *values)  # pyright: ignore


async def test_on_a_full_disk_what_is_there_can_be_used(
    open_store: OpenStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **o: connect(*a, factory=FullDisk, **o))
    store, before, after = open_store(), Picture(1), Picture(2)
    await put(store, before)
    clock.now += 3600
    monkeypatch.setattr(FullDisk, "full", True)
    assert await store.find(before.reference) == before.info
    assert await store.read(before.info) == before.data
    with pytest.raises(StoreError, match="database or disk is full"):
        await put(store, after)
    assert await store.find(after.reference) is None
    monkeypatch.setattr(FullDisk, "full", False)
    await put(store, after)
    assert await store.find(after.reference) == after.info


async def test_an_index_that_cannot_grow_says_why(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Picture(1)
    await put(open_store(), before)
    connect = sqlite3.connect

    def connect_full(*args: object, **options: object) -> sqlite3.Connection:
        database = connect(*args, **options)  # pyright: ignore
        database.execute("PRAGMA max_page_count = 1")  # SQLite takes the present size at least
        return database

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect_full)
        store = open_store()
        with pytest.raises(StoreError, match="full"):
            await put_many(store, range(2, 2000))
        assert await store.read(before.info) == before.data
    await store.close()
    again = open_store()
    assert await again.find(before.reference) == before.info
    await put(again, Picture(3000))
    assert await again.read(Picture(3000).info) == Picture(3000).data


async def test_it_survives_that_somebody_deletes_its_folder(
    store: ImageStore, folder: Path, picture: Picture
) -> None:
    await put(store, picture)
    shutil.rmtree(folder)
    with contextlib.suppress(StoreError):
        await put(store, picture)
    await put(store, picture)
    assert await store.find(picture.reference) == picture.info
    assert await store.read(picture.info) == picture.data


# What waits in memory


async def noted(store: ImageStore) -> dict[str, int]:
    return await store.catalog.counters("failed")


async def test_what_waits_is_written_once_the_index_can_be(
    open_store: OpenStore, folder: Path, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_PATIENCE", 0.05)
    store = open_store()
    await put(store, picture)
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite3")) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            store.count("failed", "timeout")
            with pytest.raises(StoreError, match="database is locked"):
                await noted(store)
        assert await store.find(from_uri(picture.info.uri)) == picture.info
        other.execute("ROLLBACK")
    assert await noted(store) == {"timeout": 3}
    store.count("failed", "timeout")
    await store.close()
    assert await noted(open_store()) == {"timeout": 4}


async def test_it_is_written_by_itself(store: ImageStore, open_store: OpenStore) -> None:
    store.count("failed", "timeout")
    other = open_store()
    while not await noted(other):
        await asyncio.sleep(0.01)


async def test_uses_are_written_at_leisure(
    open_store: OpenStore, picture: Picture, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other, before = open_store(), open_store(), clock.now + 1
    await put(store, picture)

    async def unused() -> bool:
        return bool(await look(other, lambda db: images.unused(db, 1, before=before)))

    assert await unused()
    clock.now += 100
    monkeypatch.setattr(journal, "_DELAY_OF_USES", 0.01)
    assert store.known(picture.reference)
    while await unused():
        await asyncio.sleep(0.01)


async def test_what_matters_more_does_not_wait_for_uses(
    store: ImageStore, open_store: OpenStore, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store, picture)
    monkeypatch.setattr(journal, "_DELAY_OF_USES", 1e6)
    assert store.known(picture.reference)
    store.count("failed", "timeout")
    other = open_store()
    while not await noted(other):
        await asyncio.sleep(0.01)


async def test_who_waits_behind_a_locked_index_does_not_wait_as_long_again(
    open_store: OpenStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, waits = open_store(), list[str]()
    await put(store, Picture(0))
    real = database.Database._wait  # pyright: ignore[reportPrivateUsage]

    def wait(self: database.Database, patience: float) -> None:
        waits.append("long" if patience == database._PATIENCE else "short")
        real(self, patience)

    monkeypatch.setattr(database, "_PATIENCE", 0.3)
    monkeypatch.setattr(database, "_LESS_PATIENCE", 0.01)
    monkeypatch.setattr(database.Database, "_wait", wait)
    await store.close()
    store = open_store()
    await store.totals()
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite3")) as other:
        other.execute("BEGIN IMMEDIATE")
        puts = (put(store, Picture(number)) for number in range(1, 20))
        answers = await asyncio.gather(*puts, return_exceptions=True)
        assert {str(answer) for answer in answers} == {
            f"the index in {folder} failed: database is locked"
        }
        other.execute("ROLLBACK")
    await put(store, Picture(1))
    assert waits[-1] == "long"
    assert set(waits[:-1]) == {"short"}
    assert len(waits[:-1]) <= 19  # those that wait for one transaction wait together


async def test_a_failure_in_one_thread_is_none_in_another(
    store: ImageStore, picture: Picture
) -> None:
    """The one closes the index; the other opens it anew instead of failing, too."""
    await put(store, picture)
    tries = 0

    def work(db: Connection) -> int:
        nonlocal tries
        tries += 1
        if tries == 1:
            store._access._database.close()  # pyright: ignore
            store._access._database = None  # pyright: ignore
        return images.totals(db).images

    assert await look(store, work) == 1
    assert tries == 2


async def test_who_reads_waits_for_nobody_who_writes(store: ImageStore, picture: Picture) -> None:
    """Neither for a transaction of this process, nor for all threads that wait for another one."""
    await put(store, picture)
    writing, done = threading.Event(), threading.Event()

    def write(_: Connection) -> None:
        writing.set()
        done.wait(20)

    access = store._access  # pyright: ignore[reportPrivateUsage]
    first = asyncio.create_task(access.write(write))
    await asyncio.to_thread(writing.wait)
    others = [asyncio.create_task(put(store, Picture(number))) for number in range(2, 22)]
    pins = [asyncio.create_task(store.pins.add(picture.info.sha256, "me")) for _ in range(20)]
    try:
        with anyio.fail_after(5):
            store._memory.clear()  # pyright: ignore[reportPrivateUsage]
            assert await store.find(picture.reference) == picture.info
            assert await store.read(picture.info) == picture.data
            assert (await store.totals()).images == 1
        assert not any(task.done() for task in (first, *pins))
    finally:
        done.set()
    await asyncio.gather(first, *others, *pins)
    assert (await store.totals()).images == 21


async def test_half_an_emoji_spoils_nothing(store: ImageStore, picture: Picture) -> None:
    broken = ImageReference("1", "\ud83d", file="a.png")
    await put(store, picture)
    store.saw(Sighting(broken, "group:1", "\ud83d", 1.0))
    store.saw(Sighting(replace(broken, message_id="2"), "group:1", "2", 2.0))
    found = await store.sightings(limit=10)
    assert [sighting.user for sighting in found] == ["2", "?"]
    with pytest.raises(StoreError):
        await store.find(broken)
    assert await store.forgetting.forget(chat="group:1") == (2, 0)


async def test_one_that_cannot_be_kept_takes_no_other_with_it(
    store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [Picture(number) for number in range(6)]
    await put(store, pictures[5])
    unreadable = str(store.path(pictures[5].info))
    real = os.stat

    def stat(path: str, **options: bool) -> os.stat_result:
        if path == unreadable:
            raise OSError(errno.EIO, "Input/output error")
        return real(path, **options)

    monkeypatch.setattr("nonebot_plugin_qqimage.store.local.files.blobs.os.stat", stat)
    half = ImageReference("1", "\ud83d", file="\ud83d.png")
    puts = [put(store, picture) for picture in pictures]
    results = await asyncio.gather(*puts, put(store, pictures[0], half), return_exceptions=True)
    monkeypatch.undo()
    assert results[:5] == [None] * 5
    assert [type(result) for result in results[5:]] == [StoreError, StoreError]
    for picture in pictures:
        assert await store.read(picture.info) == picture.data
        assert await store.find(picture.reference) == picture.info


async def test_switched_off_it_remembers_no_place(folder: Path, picture: Picture) -> None:
    store = ImageStore(folder, max_size=1 << 30, max_age=1e9, remember_sightings=False)
    await put(store, picture)
    store.saw(Sighting(picture.reference, "group:1", "2", 1.0))
    store.is_image(picture.reference, picture.info)
    assert await store.catalog.count_sightings() == 0
    await store.close()


async def test_forgetting_somebody_forgets_the_names_of_their_images(
    store: ImageStore, open_store: OpenStore
) -> None:
    theirs, shared, pinned = Picture(1), Picture(2), Picture(3)
    for number, picture in enumerate((theirs, shared, pinned)):
        place = ImageReference("1", str(number), file="photo.jpg")
        await put(store, picture, place)
        store.saw(Sighting(place, "group:1", "5", 1.0))
        store.is_image(place, picture.info)
    store.saw(Sighting(ImageReference("1", "9"), "group:1", "6", 1.0, shared.info.sha256))
    await store.pins.add(pinned.info.sha256, "a plugin")
    with pytest.raises(ValueError, match="whose"):
        await store.forgetting.forget()
    steps: list[int] = []
    assert await store.forgetting.forget(user="5", progress=steps.append) == (3, 1)
    assert steps == [3]
    for each in (store, open_store()):
        assert await each.find(ImageReference("1", "0", file="photo.jpg")) is None
        assert await each.find(ImageReference("1", "1", file="photo.jpg")) is None
        assert await each.read(shared.info) == shared.data
        assert await each.read(pinned.info) == pinned.data
    assert not store.path(theirs.info).exists()


async def test_only_what_is_there_can_be_pinned(store: ImageStore, picture: Picture) -> None:
    assert not await store.pins.add(picture.info.sha256, "a")
    await put(store, picture)
    assert await store.pins.add(picture.info.sha256, "a")
    assert not await store.pins.remove(picture.info.sha256, "b")
    assert await store.pins.remove(picture.info.sha256, "a")
    assert not await store.pins.remove(picture.info.sha256, "a")


async def test_a_closed_store_says_so(store: ImageStore, picture: Picture) -> None:
    await put(store, picture)
    await store.close()
    await store.close()
    other = Picture(2)
    for call in (
        store.find(other.reference),
        put(store, picture),
        store.totals(),
        store.upkeep.evict(),
    ):
        with pytest.raises(StoreError, match="closed"):
            await call


async def test_closing_what_was_never_used(open_store: OpenStore, folder: Path) -> None:
    await open_store().close()
    assert not folder.exists()


async def test_what_came_a_moment_ago_is_forgotten_by_another_process(
    store: ImageStore, open_store: OpenStore
) -> None:
    picture = Picture(1)
    store.saw(Sighting(picture.reference, "group:1", "5", 1.0))
    assert len(await store.sightings(limit=5)) == 1  # it is written down
    await put(store, picture)  # what it shows is not, when the other one looks
    assert await open_store().forgetting.forget(chat="group:1") == (1, 1)
    store.is_image(picture.reference, picture.info)
    assert await store.sightings(limit=5) == []
    assert not store.path(picture.info).exists()
