"""What leaves the store, and what stays."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.store.local import images
from nonebot_plugin_qqimage.store.local.sqlite.database import Connection
from nonebot_plugin_qqimage.store.local.upkeep.bounds import Bounds
from nonebot_plugin_qqimage.store.local.upkeep.eviction import exceeded

from ..inside import change, look
from ..pictures import Clock, OpenStore, Picture, Running

PICTURES = [Picture(number, filler=1000) for number in range(200)]
SIZE = max(len(picture.data) for picture in PICTURES)


def blobs(folder: Path) -> set[str]:
    return {path.stem for path in (folder / "images").rglob("*.png")}


async def test_the_bound_holds_after_each_write(open_store: OpenStore, folder: Path) -> None:
    store = open_store(max_size=10 * SIZE)
    for picture in PICTURES[:40]:
        await store.put(picture.reference, picture.info, picture.data, "test")
        totals = await store.totals()
        assert totals.bytes <= 10 * SIZE
        on_disk = sum(path.stat().st_size for path in (folder / "images").rglob("*.png"))
        assert on_disk == totals.bytes
    assert (await store.totals()).images >= 10


async def test_the_least_recently_used_go_first(open_store: OpenStore, clock: Clock) -> None:
    store = open_store(max_size=3 * SIZE)
    for picture in PICTURES[:3]:
        clock.now += 1000
        await store.put(picture.reference, picture.info, picture.data, "test")
    clock.now += 1000
    assert await store.find(PICTURES[0].reference) is not None
    clock.now += 1000
    await store.put(PICTURES[3].reference, PICTURES[3].info, PICTURES[3].data, "test")
    found = [await store.find(picture.reference) is not None for picture in PICTURES[:4]]
    assert found == [True, False, True, True]
    assert await store.read(PICTURES[1].info) is None


async def test_what_was_not_used_for_too_long_goes(
    open_store: OpenStore, folder: Path, running: Running
) -> None:
    store = open_store(max_age=3600)
    for picture in PICTURES[:150]:
        await store.put(picture.reference, picture.info, picture.data, "test")
    running.on(3000)
    kept = PICTURES[7]
    assert await store.find(kept.reference) is not None
    running.on(1000)
    await store.upkeep.evict()
    assert (await store.totals()).images == 1
    assert blobs(folder) == {kept.info.sha256}
    assert await store.read(kept.info) == kept.data


async def test_a_smaller_bound_applies_at_once(open_store: OpenStore, folder: Path) -> None:
    store = open_store()
    for picture in PICTURES:
        await store.put(picture.reference, picture.info, picture.data, "test")
    await store.close()
    smaller = open_store(max_size=5 * SIZE)
    await smaller.upkeep.evict()
    totals = await smaller.totals()
    assert totals.bytes <= 5 * SIZE
    assert totals.images >= 4
    assert len(blobs(folder)) == totals.images


async def test_no_more_goes_than_must(open_store: OpenStore) -> None:
    store = open_store(max_size=len(PICTURES[0].data) + len(PICTURES[1].data))
    for picture in PICTURES[:2]:
        await store.put(picture.reference, picture.info, picture.data, "test")
    assert (await store.totals()).images == 2


async def test_two_processes_evict_together(open_store: OpenStore, folder: Path) -> None:
    stores = [open_store(max_size=8 * SIZE) for _ in range(2)]
    for number, picture in enumerate(PICTURES[:40]):
        store = stores[number % 2]
        await store.put(picture.reference, picture.info, picture.data, "test")
    totals = await stores[0].totals()
    assert totals == await stores[1].totals()
    assert totals.bytes <= 8 * SIZE
    assert len(blobs(folder)) == totals.images


async def test_a_use_counts_although_it_is_written_later(open_store: OpenStore) -> None:
    store = open_store(max_size=3 * SIZE)
    for picture in PICTURES[:3]:
        await store.put(picture.reference, picture.info, picture.data, "test")
    for newcomer in PICTURES[3:20]:
        assert store.known(PICTURES[0].reference) is not None
        await store.put(newcomer.reference, newcomer.info, newcomer.data, "test")
    assert await store.read(PICTURES[0].info) == PICTURES[0].data


async def test_what_was_evicted_is_not_known_any_more(open_store: OpenStore) -> None:
    """Else its next message would not be fetched, while its link still lives."""
    store = open_store(max_size=2 * SIZE)
    for picture in PICTURES[:5]:
        await store.put(picture.reference, picture.info, picture.data, "test")
    assert [store.known(picture.reference) is not None for picture in PICTURES[:5]] == [
        *[False] * 3,
        *[True] * 2,
    ]


async def test_what_another_process_evicted_is_known_for_a_minute(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = open_store(), open_store(max_size=1)
    picture = PICTURES[0]
    await store.put(picture.reference, picture.info, picture.data, "test")
    await other.upkeep.evict()
    assert store.known(picture.reference) is not None
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    assert store.known(picture.reference) is None
    assert await store.find(picture.reference) is None


async def test_an_image_larger_than_the_store_stays_until_the_next_comes(
    open_store: OpenStore,
) -> None:
    store, large, small = open_store(max_size=SIZE // 2), PICTURES[0], Picture(500)
    await store.put(large.reference, large.info, large.data, "test")
    assert await store.read(large.info) == large.data
    await store.put(small.reference, small.info, small.data, "test")
    assert await store.read(large.info) is None
    assert await store.read(small.info) == small.data


async def test_on_windows_another_goes_when_somebody_reads_the_oldest(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(max_size=3 * SIZE)
    for picture in PICTURES[:3]:
        await store.put(picture.reference, picture.info, picture.data, "test")
    open_file, unlink = store.path(PICTURES[0].info), Path.unlink

    def in_use(path: Path, missing_ok: bool = False) -> None:
        if path == open_file:
            raise PermissionError(13, "in use")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", in_use)
    await store.put(PICTURES[3].reference, PICTURES[3].info, PICTURES[3].data, "test")
    assert (await store.totals()).bytes <= 3 * SIZE
    assert await store.read(PICTURES[0].info) == PICTURES[0].data
    assert await store.read(PICTURES[1].info) is None


async def test_a_large_store_is_not_searched_through_at_each_put(open_store: OpenStore) -> None:
    store = open_store()

    def steps(db: Connection) -> int:
        """How many thousand steps SQLite takes to see that nothing has to go."""
        taken = 0

        def count() -> None:
            nonlocal taken
            taken += 1

        database = db._db  # pyright: ignore[reportPrivateUsage]
        database.set_progress_handler(count, 1000)
        exceeded(db, Bounds(1 << 40, 1e9))
        database.set_progress_handler(None, 0)
        return taken

    def fill(db: Connection) -> None:
        for number in range(3000):
            digest = f"{number:064x}"
            info = replace(PICTURES[0].info, sha256=digest, md5=digest[:32])
            images.add(db, info, "", "test")

    await change(store, fill)
    assert await look(store, steps) == 0


async def test_an_empty_store_has_nothing_to_evict(open_store: OpenStore) -> None:
    await open_store(max_size=1, max_age=0.001).upkeep.evict()
