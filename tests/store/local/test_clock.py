"""A clock that is wrong, for one put or from the start, removes nothing."""

import pytest

from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.local import images
from nonebot_plugin_qqimage.store.local.sqlite.database import Connection

from ..inside import look
from ..pictures import Clock, OpenStore, Picture, Running

PICTURES = [Picture(number) for number in range(12)]
DAY = 24 * 3600.0
AGE = 30 * DAY


async def put(store: ImageStore, picture: Picture) -> None:
    await store.put(picture.reference, picture.info, picture.data, "test")


async def count(store: ImageStore) -> int:
    await store.upkeep.evict()
    return (await store.totals()).images


def by_use(db: Connection) -> list[str]:
    return [info.sha256 for info in images.unused(db, 100)]


@pytest.mark.parametrize("jump", [40 * DAY, -40 * DAY, 4000 * DAY])
async def test_a_jump_for_one_put(open_store: OpenStore, clock: Clock, jump: float) -> None:
    store = open_store(max_age=AGE)
    for picture in PICTURES[:5]:
        await put(store, picture)
    clock.now += jump
    await put(store, PICTURES[5])
    assert await count(store) == 6
    clock.now -= jump
    await put(store, PICTURES[6])
    assert await count(store) == 7


@pytest.mark.parametrize("jump", [10 * 60.0, 2 * 3600.0 - 1, 20 * 3600.0])
async def test_a_jump_of_minutes_or_hours(
    open_store: OpenStore, clock: Clock, running: Running, jump: float
) -> None:
    store = open_store(max_age=3600)
    for picture in PICTURES[:5]:
        await put(store, picture)
    running.on(3600 - 60)
    clock.now += jump
    assert await count(store) == 5
    clock.now += jump  # again
    assert await count(store) == 5
    running.on(DAY + 60)
    assert await count(store) == 0


async def test_a_clock_that_is_set_after_the_start(open_store: OpenStore, clock: Clock) -> None:
    now, clock.now = clock.now, 5.0
    store = open_store(max_age=AGE)
    for picture in PICTURES[:5]:
        await put(store, picture)
    clock.now = now
    await put(store, PICTURES[5])
    assert await count(store) == 6


@pytest.mark.parametrize("jump", [40 * DAY, -40 * DAY])
async def test_a_jump_between_two_runs(open_store: OpenStore, clock: Clock, jump: float) -> None:
    store = open_store(max_age=AGE)
    for picture in PICTURES[:5]:
        await put(store, picture)
    await store.upkeep.evict()
    await store.close()
    clock.now += jump
    later = open_store(max_age=AGE)
    assert await count(later) == 5
    await later.close()
    clock.now += 3600
    assert await count(open_store(max_age=AGE)) == 5  # nor in the next run, an hour later


async def test_after_a_day_of_running_ageing_goes_on(
    open_store: OpenStore, clock: Clock, running: Running
) -> None:
    store = open_store(max_age=AGE)
    for picture in PICTURES[:5]:
        await put(store, picture)
    clock.now += 40 * DAY
    assert await count(store) == 5
    running.on(DAY - 60)
    assert await store.find(PICTURES[0].reference) is not None
    assert await count(store) == 5
    running.on(120)
    assert await count(store) == 1


async def test_times_in_the_future_are_put_right_in_their_order(
    open_store: OpenStore, clock: Clock, running: Running
) -> None:
    store = open_store(max_age=AGE)
    for number, picture in enumerate(PICTURES):
        clock.now += {4: 40 * DAY, 8: -40 * DAY}.get(number, 1)
        await put(store, picture)
    order = [picture.info.sha256 for picture in PICTURES]
    assert await look(store, by_use) == order
    running.on(DAY + 60)
    await store.upkeep.evict()
    assert await look(store, by_use) == order
    stored = await look(store, lambda db: db.rows("SELECT used, added FROM images"))
    assert max(max(row) for row in stored) <= clock.now
    running.on(AGE - DAY)
    assert await count(store) == 8  # those that were stored at a wrong time, and after
    running.on(DAY + 60)
    assert await count(store) == 0


@pytest.mark.parametrize("jump", [-4000 * DAY, 4000 * DAY])
async def test_what_goes_for_size_goes_by_use(
    open_store: OpenStore, clock: Clock, jump: float
) -> None:
    size = sum(len(picture.data) for picture in PICTURES[:4])
    store = open_store(max_size=size, max_age=AGE)
    for picture in PICTURES[:4]:
        clock.now += 1
        await put(store, picture)
    clock.now += jump
    assert await store.find(PICTURES[0].reference) is not None
    clock.now -= jump / 2
    for picture in PICTURES[4:6]:
        await put(store, picture)
    there = [await store.find(picture.reference) is not None for picture in PICTURES[:6]]
    assert there == [True, False, False, True, True, True]
