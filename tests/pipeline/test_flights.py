"""One piece of work for many who want it."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from nonebot_plugin_qqimage.pipeline.single_flight.flights import Flights


class Work:
    """Work that ends when it is told to."""

    def __init__(self) -> None:
        self.calls = 0
        self.cancelled = False
        self.go = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, deliver: Callable[[str], None]) -> None:
        self.calls += 1
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.error is not None:
            raise self.error
        deliver("done")


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
async def flights() -> AsyncGenerator[Flights[str], None]:
    flights: Flights[str] = Flights(4)
    yield flights
    await flights.close()


@pytest.fixture
async def complaints() -> AsyncGenerator[list[dict[str, Any]], None]:
    """What asyncio has to complain about, such as exceptions nobody looked at."""
    loop, heard = asyncio.get_running_loop(), list[dict[str, Any]]()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: heard.append(context))
    yield heard
    loop.set_exception_handler(before)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)
    gc.collect()
    await asyncio.sleep(0)


async def test_many_want_it_one_does_it(flights: Flights[str], work: Work) -> None:
    waiters = [asyncio.ensure_future(flights.join("a", work)) for _ in range(20)]
    await settle()
    assert "a" in flights
    work.go.set()
    assert await asyncio.wait_for(asyncio.gather(*waiters), 30) == ["done"] * 20
    assert work.calls == 1
    await settle()
    assert "a" not in flights


async def test_other_keys_and_later_ones_are_other_work(flights: Flights[str], work: Work) -> None:
    work.go.set()
    assert await flights.join("a", work) == await flights.join("b", work) == "done"
    await settle()
    assert await flights.join("a", work) == "done"
    assert work.calls == 3


async def test_one_who_leaves_does_not_stop_the_others(flights: Flights[str], work: Work) -> None:
    async def wait() -> str:
        return await flights.join("a", work)

    leaver, stayer = asyncio.create_task(wait()), asyncio.create_task(wait())
    await settle()
    leaver.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaver
    work.go.set()
    assert await asyncio.wait_for(stayer, 30) == "done"
    assert not work.cancelled


async def test_the_work_goes_on_when_everybody_has_left(flights: Flights[str], work: Work) -> None:
    waiter = flights.join("a", work)
    waiter.cancel()
    await settle()
    assert "a" in flights
    work.go.set()
    assert await asyncio.wait_for(flights.join("a", work), 30) == "done"
    assert work.calls == 1


async def test_a_failure_reaches_everybody(
    flights: Flights[str], work: Work, complaints: list[dict[str, Any]]
) -> None:
    work.error = ValueError("no")
    waiters = [asyncio.ensure_future(flights.join("a", work)) for _ in range(3)]
    await settle()
    work.go.set()
    outcomes = await asyncio.wait_for(asyncio.gather(*waiters, return_exceptions=True), 30)
    assert [str(outcome) for outcome in outcomes] == ["no"] * 3
    del waiters, outcomes
    await settle()
    assert complaints == []


async def test_a_failure_nobody_waits_for_is_no_complaint(
    flights: Flights[str], work: Work, complaints: list[dict[str, Any]]
) -> None:
    work.error = ValueError("no")
    flights.start("a", work)
    flights.join("b", work).cancel()
    await settle()
    work.go.set()
    await settle()
    assert "a" not in flights
    assert "b" not in flights
    assert complaints == []


async def test_it_says_when_it_is_full(flights: Flights[str], work: Work) -> None:
    for key in "abc":
        flights.start(key, work)
    assert not flights.full
    flights.start("d", work)
    assert flights.full
    work.go.set()
    await settle()
    assert not flights.full


async def test_closing_cancels_and_waits(work: Work) -> None:
    flights: Flights[str] = Flights(4)
    waiter = flights.join("a", work)
    flights.start("b", work)
    await settle()
    await asyncio.wait_for(flights.close(), 30)
    assert work.cancelled
    with pytest.raises(asyncio.CancelledError):
        await waiter
    await settle()
    assert "a" not in flights
    await flights.close()
