"""One bot, chat or member that floods, hangs or drips costs others nothing but what is spare."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.fetch.fetcher import Fetched
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.pipeline import prefetch_queue
from nonebot_plugin_qqimage.pipeline.fairness import congestion

from ..promises.common import logged
from ..store.pictures import Picture
from ..world import Make, World, make, services

__all__ = ["make", "services"]


class Slow(World):
    """Where what hangs does so until it is let go, and the rest is there at once."""

    async def fetch(self, reference: ImageReference, *others: Any) -> tuple[Fetched | None, Any]:
        if reference.url.startswith("hang"):
            self.fetched.append(reference)
            await self.open.wait()
            return None, ()
        picture = Picture(int(reference.message_id) % 5000)
        self.data[reference.url] = picture.data
        gate, self.open = self.open, asyncio.Event()
        self.open.set()
        try:
            return await super().fetch(reference, *others)
        finally:
            self.open = gate


@pytest.fixture
def world() -> World:
    world = Slow()
    world.open.clear()
    return world


def reference(number: int, bot: str = "1", url: str = "good") -> ImageReference:
    return ImageReference(bot, str(number), file=f"{number}.png", url=f"{url}/{number}")


def flood(
    services: Services, count: int, chat: str, start: int = 0, **options: Any
) -> list[ImageReference]:
    """Messages of one chat, as they come in."""
    wanted = [replace(reference(start + number, **options), chat=chat) for number in range(count)]
    for each in wanted:
        services.pipeline.prefetch(each)
    return wanted


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("what", ["bot", "chat"])
async def test_who_hangs_leaves_room_for_others(
    services: Services, world: World, what: str
) -> None:
    flood(services, 200, "group:1", url="hang")
    await until(lambda: len(world.fetched) >= 10)
    await asyncio.sleep(0.1)
    bot = "2" if what == "bot" else "1"
    started = time.monotonic()
    healthy = flood(services, 40, "group:2", start=1000, bot=bot)
    arrivals = [services.pipeline.resolve(each) for each in healthy[:5]]
    await asyncio.wait_for(asyncio.gather(*arrivals), 10)
    await until(lambda: all(services.pipeline.state(each) == "stored" for each in healthy))
    assert time.monotonic() - started < 5
    assert sum(each.url.startswith("hang") for each in world.fetched) <= 26


async def test_what_a_handler_waits_for_goes_before_what_nobody_waits_for(
    make: Make, world: World
) -> None:
    services = make(concurrency=1)
    flood(services, 1, "group:1", url="hang")
    await until(lambda: len(world.fetched) == 1)
    wanted = flood(services, 20, "group:1", start=100)
    await asyncio.sleep(0.1)
    asked = asyncio.create_task(services.pipeline.resolve(wanted[15]))
    await asyncio.sleep(0.05)
    world.open.set()
    await asked
    await until(lambda: len(world.fetched) == 21)
    assert [each.message_id for each in world.fetched[1:3]] == ["115", "100"]


async def test_nothing_is_refused_silently(
    make: Make, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, told of once, and fetched when there is room, chat by chat."""
    monkeypatch.setattr("nonebot_plugin_qqimage.pipeline.pipeline._MAX_FLIGHTS", 40)
    monkeypatch.setattr(congestion, "_GATHER", 0.2)
    services = make(concurrency=4)
    with logged("WARNING") as lines:
        flood(services, 30, "group:1", url="hang")
        many = flood(services, 300, "group:1", start=1000)
        few = flood(services, 5, "group:2", start=5000)
        await asyncio.sleep(0.5)
        world.open.set()
        await until(lambda: all(services.pipeline.state(e) == "stored" for e in few + many))
    waited = [line for line in lines if "have to wait" in line]
    assert len(waited) == 1
    counted = await services.store.catalog.counters("delayed")
    assert sum(counted.values()) >= 250
    told = re.search(r"(\d+) images have to wait", waited[0])
    assert told is not None
    assert 250 <= int(told[1]) <= sum(counted.values())
    places = [each.message_id for each in world.fetched]
    assert max(places.index(each.message_id) for each in few) < places.index(many[150].message_id)
    assert [e for e in places if e in {m.message_id for m in many}] == [m.message_id for m in many]


async def test_what_waits_for_too_long_is_left_out_and_told_of(
    make: Make, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nonebot_plugin_qqimage.pipeline.pipeline._MAX_FLIGHTS", 8)
    monkeypatch.setattr(prefetch_queue, "_LIFE", 0.2)
    monkeypatch.setattr(congestion, "_GATHER", 0.5)
    services = make()
    with logged("WARNING") as lines:
        flood(services, 20, "group:1", url="hang")
        await asyncio.sleep(0.4)
        world.open.set()
        await until(lambda: any("not fetched in advance" in line for line in lines))
    assert any("links must have died" in line for line in lines)
    left = await services.store.catalog.counters("left out")
    assert left["links"] + len(world.fetched) == 20


async def test_who_found_no_turn_is_tried_again(
    make: Make, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nonebot_plugin_qqimage.pipeline.fetching._MAX_WAIT", 0.1)
    services = make(concurrency=1)
    flood(services, 1, "group:1", url="hang")
    await until(lambda: len(world.fetched) == 1)
    wanted = flood(services, 3, "group:1", start=10)
    await asyncio.sleep(0.3)
    world.open.set()
    await until(lambda: all(services.pipeline.state(each) == "stored" for each in wanted))
    assert (await services.store.catalog.counters("delayed"))["turn"] >= 3


async def test_the_queue_has_a_bound_which_the_loudest_chat_meets_first(
    make: Make, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nonebot_plugin_qqimage.pipeline.pipeline._MAX_FLIGHTS", 8)
    monkeypatch.setattr(prefetch_queue, "_MAX_WAITING", 50)
    services = make(concurrency=2)
    flood(services, 8, "group:1", url="hang")
    await until(lambda: len(world.fetched) == 2)
    loud = flood(services, 100, "group:1", start=100)
    quiet = flood(services, 10, "group:2", start=1000)
    world.open.set()
    await until(lambda: all(services.pipeline.state(each) == "stored" for each in quiet))
    await until(lambda: services.pipeline.state(loud[30]) == "stored")
    assert (await services.store.catalog.counters("left out"))["queue"] >= 50
