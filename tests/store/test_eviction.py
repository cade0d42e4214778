"""What leaves the store, and what stays."""

from pathlib import Path

from .pictures import Clock, OpenStore, Picture

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
    open_store: OpenStore, folder: Path, clock: Clock
) -> None:
    store = open_store(max_age=3600)
    for picture in PICTURES[:150]:
        await store.put(picture.reference, picture.info, picture.data, "test")
    clock.now += 3000
    kept = PICTURES[7]
    assert await store.find(kept.reference) is not None
    clock.now += 1000
    await store.evict()
    assert (await store.totals()).images == 1
    assert blobs(folder) == {kept.info.sha256}
    assert await store.read(kept.info) == kept.data


async def test_a_smaller_bound_applies_at_once(open_store: OpenStore, folder: Path) -> None:
    store = open_store()
    for picture in PICTURES:
        await store.put(picture.reference, picture.info, picture.data, "test")
    await store.close()
    smaller = open_store(max_size=5 * SIZE)
    await smaller.evict()
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


async def test_an_empty_store_has_nothing_to_evict(open_store: OpenStore) -> None:
    await open_store(max_size=1, max_age=0.001).evict()
