"""Files and rows that disagree: found, and put right."""

# ruff: noqa: ASYNC240  short looks at small local files

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nonebot_plugin_qqimage.errors import StoreError
from nonebot_plugin_qqimage.messages.reference import ImageReference, from_uri
from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.local import images
from nonebot_plugin_qqimage.store.local.facts import Selection
from nonebot_plugin_qqimage.store.local.upkeep.maintenance import Finding

from ..inside import change, look
from ..pictures import OpenStore, Picture


async def put(store: ImageStore, picture: Picture) -> Path:
    await store.put(picture.reference, picture.info, picture.data, "test")
    return store.path(picture.info)


async def check(
    store: ImageStore, *, deep: bool = False, repair: bool = False, grace: float = -1.0
) -> list[Finding]:
    found: list[Finding] = []
    for step in await store.upkeep.steps():
        found += await store.upkeep.check(step, deep=deep, repair=repair, grace=grace)
    return found


async def found_then_repaired(store: ImageStore, *, deep: bool = False) -> list[Finding]:
    """What is wrong; and after its repair, nothing is."""
    found = await check(store, deep=deep)
    assert await check(store, deep=deep) == found
    assert await check(store, deep=deep, repair=True) == found
    assert await check(store, deep=True) == []
    return found


async def test_nothing_is_wrong_with_a_store_in_use(store: ImageStore) -> None:
    assert await check(store, deep=True) == []
    for number in range(20):
        await put(store, Picture(number))
    assert await check(store, deep=True, repair=True) == []
    assert (await store.totals()).images == 20


async def test_a_row_without_its_file(store: ImageStore, picture: Picture) -> None:
    (await put(store, picture)).unlink()
    assert await found_then_repaired(store) == [Finding("missing", picture.info.sha256)]
    assert (await store.totals()).images == 0


async def test_a_file_without_its_row(
    store: ImageStore, open_store: OpenStore, picture: Picture
) -> None:
    path = await put(store, picture)
    await change(store, lambda db: images.remove(db, [picture.info]))
    assert await check(store, grace=900) == []  # its writer may be about to add the row
    assert await found_then_repaired(store) == [Finding("unindexed", path.name)]
    other = open_store()
    assert await other.find(picture.reference) == picture.info
    assert (await other.catalog.statistics()).by_source.keys() == {"recovered"}


async def test_a_damaged_file(store: ImageStore, folder: Path, picture: Picture) -> None:
    path = await put(store, picture)
    path.write_bytes(bytes(len(picture.data)))
    assert await check(store) == []  # only a deep look shows it
    assert await found_then_repaired(store, deep=True) == [Finding("damaged", picture.info.sha256)]
    assert len(list((folder / "quarantine").iterdir())) == 1
    path.write_bytes(b"a cut one shows at once, and so does one without a row")
    assert await found_then_repaired(store) == [Finding("damaged", path.name)]


async def test_leftovers(store: ImageStore, picture: Picture) -> None:
    path = await put(store, picture)
    leftover = path.with_name(".new-1234")
    leftover.write_bytes(b"half")
    assert await check(store, repair=True, grace=900) == []
    os.utime(leftover, (1, 1))
    assert await found_then_repaired(store) == [Finding("leftover", leftover.name)]
    assert not leftover.exists()


async def test_what_is_not_ours_is_left_alone(
    store: ImageStore, folder: Path, picture: Picture
) -> None:
    path = await put(store, picture)
    shard = path.parent
    strange = [shard / "Thumbs.db", shard / "note.png", shard / f"{path.stem}.jpg"]
    for file in strange[:2]:
        file.write_bytes(b"somebody else's")
    strange[2].write_bytes(picture.data)
    (shard / "@eaDir").mkdir()  # a NAS puts one into each folder
    (shard.parent / "zz").write_bytes(b"a file where a folder could be")
    (shard.parent / "a folder").mkdir()
    for _ in range(2):
        found = await check(store, deep=True, repair=True)
        assert {finding.trouble for finding in found} == {"foreign"}
        assert {finding.name for finding in found} == {
            *(file.name for file in strange),
            "@eaDir",
        }
    assert all(file.exists() for file in strange)
    assert not (folder / "quarantine").exists()


async def test_one_file_that_cannot_be_read_does_not_stop_the_rest(
    store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreadable = Picture(1)
    path = await put(store, unreadable)
    real = os.open

    def refuse(name: Any, *arguments: Any, **options: Any) -> int:
        if str(name) == str(path):
            raise PermissionError(13, "Permission denied")
        return real(name, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    for number in range(2, 40):
        (await put(store, Picture(number))).unlink()
    found = await check(store, deep=True, repair=True)
    assert Finding("unreadable", unreadable.info.sha256) in found
    assert len(found) == 39
    with pytest.raises(StoreError):
        await store.read(unreadable.info)


def a_folder(path: Path) -> None:
    path.mkdir()
    (path / "x").write_text("x")


def a_pipe(path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes")
    os.mkfifo(path)


def a_link_to_nothing(path: Path) -> None:
    path.symlink_to("nothing")


@pytest.mark.parametrize("make", [a_folder, a_pipe, a_link_to_nothing])
@pytest.mark.parametrize("by", ["put", "read", "check"])
async def test_what_is_no_file_is_put_aside(
    store: ImageStore, folder: Path, picture: Picture, make: Callable[[Path], None], by: str
) -> None:
    path = await put(store, picture)
    path.unlink()
    make(path)
    if by == "read":
        assert await store.read(picture.info) is None
    elif by == "check":
        assert [finding.name for finding in await check(store, repair=True)] == [path.stem]
    await put(store, picture)
    assert path.is_file()
    assert await store.read(picture.info) == picture.data
    assert len(list((folder / "quarantine").iterdir())) == 1 or make is a_link_to_nothing
    assert await check(store, deep=True) == []


# The index


def scribble(path: Path) -> None:
    """Overwrite all pages but the first two."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * (size - 8192))


async def fill(open_store: OpenStore) -> list[Picture]:
    store, pictures = open_store(), [Picture(number) for number in range(50)]
    for picture in pictures:
        await put(store, picture)
    await store.close()
    return pictures


@pytest.mark.parametrize("damage", ["scribbled", "replaced by noise", "emptied"])
async def test_a_damaged_index_is_made_anew_from_the_images(
    open_store: OpenStore, folder: Path, damage: str
) -> None:
    pictures = await fill(open_store)
    path = folder / "index.sqlite3"
    if damage == "scribbled":
        scribble(path)
    else:
        path.write_bytes(b"" if damage == "emptied" else b"noise" * 2000)
    store = open_store()
    if damage != "emptied":  # which SQLite takes for a new one
        with pytest.raises(StoreError, match="a new one is made from the images"):
            await check(store)
        assert list((folder / "quarantine").glob("*index.sqlite3"))
    await check(store, repair=True)
    for picture in pictures:
        assert await store.find(picture.reference) == picture.info
        assert await store.read(picture.info) == picture.data
    assert (await store.totals()).images == len(pictures)


async def test_what_is_readable_of_a_damaged_index_is_taken_over(
    open_store: OpenStore, folder: Path
) -> None:
    store, picture = open_store(), Picture(1)
    place = ImageReference("1", "77", file="photo.jpg")
    await store.put(place, picture.info, picture.data, "download")
    await store.pins.add(picture.info.sha256, "a plugin")
    store.count("failed", "timeout")
    await store.close()
    path = folder / "index.sqlite3"
    database = sqlite3.connect(path)
    root, size = database.execute(
        "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master "
        "WHERE name = 'images_by_use'"
    ).fetchone()
    database.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xa5" * size)
    store = open_store()
    with pytest.raises(StoreError, match="is damaged"):
        await store.upkeep.steps()
    assert await store.find(place) == picture.info
    assert await look(store, lambda db: images.pins(db, picture.info.sha256)) == {"a plugin": 1}
    assert await store.catalog.counters("failed") == {"timeout": 1}
    assert (await store.totals()).images == 1


async def test_the_index_may_be_replaced_while_it_is_open(
    store: ImageStore, open_store: OpenStore, folder: Path, picture: Picture
) -> None:
    await put(store, picture)
    for file in folder.glob("index*"):
        os.replace(file, folder / f"old-{file.name}")
    assert (await store.totals()).images == 0
    await check(store, repair=True)
    for each in (store, open_store()):
        assert await each.find(from_uri(picture.info.uri)) == picture.info


async def test_text_that_is_none_makes_a_new_index(open_store: OpenStore, folder: Path) -> None:
    """SQLite itself does not notice it."""
    pictures = await fill(open_store)
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite3")) as database:
        damaged = pictures[0].info.sha256
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute(
            "UPDATE images SET sha256 = CAST(x'ff35' AS TEXT) WHERE sha256 = ?", (damaged,)
        )
        database.commit()
    store = open_store()
    with pytest.raises(StoreError, match="a new one is made from the images"):
        await store.catalog.select(Selection(), limit=100)
    assert await check(store, repair=True) == [Finding("unindexed", f"{damaged}.png")]
    for picture in pictures:
        assert await store.find(picture.reference) == picture.info


async def test_opening_waits_for_who_makes_the_index_at_the_same_time(
    store: ImageStore, folder: Path
) -> None:
    folder.mkdir(parents=True)
    other = sqlite3.connect(folder / "index.sqlite3", check_same_thread=False)
    other.execute("CREATE TABLE a (b)")
    other.execute("BEGIN")
    other.execute("SELECT * FROM a").fetchall()  # SQLite does not wait for readers to go here
    asyncio.get_running_loop().call_later(0.2, other.close)
    assert (await store.totals()).images == 0
