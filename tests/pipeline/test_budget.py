"""The budget of bytes: never more than there are, in turn, and nothing lost."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonebot_plugin_qqimage.pipeline.fairness.budget import ByteBudget, NoTurn, Reservation


class Holder:
    """Reserves in a task of its own, and holds until it is told to let go."""

    def __init__(
        self, budget: ByteBudget, size: int, log: list[int], total: list[int], **options: Any
    ) -> None:
        self.reservation: Reservation | None = None
        self.size = size
        self._let_go = asyncio.Event()
        self._log, self._total = log, total
        self._waiting = budget.reserve(size, **options)
        self.task = asyncio.create_task(self._hold())

    def hurry(self) -> None:
        self._waiting.hurry()

    async def _hold(self) -> None:
        async with self._waiting as reservation:
            self.reservation = reservation
            self._log.append(self.size)
            self._total[0] += reservation.size
            try:
                await self._let_go.wait()
            finally:
                self._total[0] -= reservation.size

    async def release(self) -> None:
        self._let_go.set()
        await asyncio.wait([self.task], timeout=30)


class Room:
    def __init__(self, total: int, **limits: Any) -> None:
        self.budget = ByteBudget(total, **limits)
        self.served: list[int] = []
        self.held = [0]
        self.holders: list[Holder] = []

    async def take(self, size: int, **options: Any) -> Holder:
        holder = Holder(self.budget, size, self.served, self.held, **options)
        self.holders.append(holder)
        await settle()
        return holder

    async def leave(self) -> None:
        for holder in self.holders:
            holder.task.cancel()
        await asyncio.gather(*(holder.task for holder in self.holders), return_exceptions=True)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def whole(budget: ByteBudget, total: int) -> bool:
    """Whether everything can be reserved, so nothing was lost."""
    async with AsyncExitStack() as stack:
        await asyncio.wait_for(stack.enter_async_context(budget.reserve(total)), 30)
        return True


async def test_who_fits_does_not_wait() -> None:
    room = Room(10)
    for size in (4, 6, 0):
        assert (await room.take(size)).reservation is not None
    await room.leave()


async def test_who_does_not_fit_waits_for_room() -> None:
    room = Room(10)
    first, second = await room.take(8), await room.take(3)
    assert second.reservation is None
    await first.release()
    await settle()
    assert second.reservation is not None
    await room.leave()


async def test_first_come_first_served() -> None:
    room = Room(10)
    first = await room.take(9)
    for size in (5, 1, 4):  # the 1 would fit at once, but the 5 came before
        await room.take(size)
    assert room.served == [9]
    await first.release()
    await settle()
    assert room.served == [9, 5, 1, 4]
    await room.leave()


async def test_a_cancelled_waiter_gives_way() -> None:
    room = Room(10)
    await room.take(5)
    large, small = await room.take(8), await room.take(5)
    assert small.reservation is None
    large.task.cancel()
    await settle()
    assert small.reservation is not None
    await room.leave()
    assert await whole(room.budget, 10)


async def test_cancelled_in_the_moment_of_being_served() -> None:
    room = Room(10)
    first, second = await room.take(10), await room.take(10)
    first._let_go.set()
    await asyncio.wait([first.task], timeout=30)
    second.task.cancel()
    await settle()
    await room.leave()
    assert await whole(room.budget, 10)


async def test_cancelled_together() -> None:
    budget = ByteBudget(10)

    async def hold() -> None:
        async with budget.reserve(10):
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(hold()) for _ in range(20)]
    await settle()
    for task in tasks:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    assert await whole(budget, 10)


async def test_more_than_there_is_is_cut_to_all_of_it() -> None:
    room = Room(10)
    giant = await room.take(1000)
    assert giant.reservation is not None
    assert giant.reservation.size == 10
    assert (await room.take(1)).reservation is None
    await room.leave()


async def test_shrinking_lets_the_next_one_in() -> None:
    room = Room(10)
    first, second = await room.take(10), await room.take(6)
    assert first.reservation is not None
    first.reservation.resize(4)
    await settle()
    assert second.reservation is not None
    await room.leave()


async def test_an_overdraft_is_repaid_before_anyone_gets_in() -> None:
    room = Room(10)
    first = await room.take(2)
    assert first.reservation is not None
    first.reservation.resize(25)
    second = await room.take(1)
    assert second.reservation is None
    first.reservation.resize(10)
    await settle()
    assert second.reservation is None
    await first.release()
    await settle()
    assert second.reservation is not None
    await room.leave()
    assert await whole(room.budget, 10)


async def test_an_error_in_the_block_gives_everything_back() -> None:
    budget = ByteBudget(10)

    async def fail() -> None:
        async with budget.reserve(10) as reservation:
            reservation.resize(50)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await whole(budget, 10)


async def test_waiting_takes_no_task() -> None:
    budget = ByteBudget(10, holders=2)
    first, second, third = (budget.reserve(5) for _ in range(3))
    tasks = asyncio.all_tasks()
    assert [each.enter().done() for each in (first, second, third)] == [True, True, False]
    assert asyncio.all_tasks() == tasks
    third.give_up()
    second.give_up()
    async with first:  # which holds its bytes already
        assert first.held
        assert not second.held
    assert await whole(budget, 10)


async def test_who_waits_without_a_task_has_its_turn() -> None:
    budget = ByteBudget(10, holders=1)
    first, second = budget.reserve(10), budget.reserve(10)
    first.enter()
    turn = second.enter()
    first.give_up()
    await asyncio.wait_for(turn, 5)
    async with second:
        assert second.held
    assert await whole(budget, 10)


async def test_no_more_than_there_are_seats() -> None:
    room = Room(10, holders=2)
    first, second, third = [await room.take(size) for size in (1, 0, 0)]
    assert second.reservation is not None
    assert third.reservation is None
    await first.release()
    await settle()
    assert third.reservation is not None
    third.task.cancel()
    await settle()
    assert (await room.take(9)).reservation is not None
    await room.leave()


async def test_nobody_waits_for_ever() -> None:
    budget = ByteBudget(10, max_wait=0.02)
    async with budget.reserve(4):
        large = asyncio.create_task(budget.reserve(8).__aenter__())
        await settle()
        with pytest.raises(NoTurn):
            await large
        async with budget.reserve(6):  # who has gone away is not waited for
            pass
    assert await whole(budget, 10)


STEPS = st.lists(
    st.tuples(st.sampled_from(["take", "release", "cancel"]), st.integers(0, 30)), max_size=40
)


@given(total=st.integers(1, 20), seats=st.none() | st.integers(1, 4), steps=STEPS)
def test_never_more_than_the_total_and_nothing_lost(
    total: int, seats: int | None, steps: list[tuple[str, int]]
) -> None:
    async def run() -> None:
        room = Room(total, holders=seats)
        for step, number in steps:
            if step == "take":
                await room.take(number)
            elif room.holders:
                holder = room.holders[number % len(room.holders)]
                if step == "cancel":
                    holder.task.cancel()
                elif holder.reservation is not None:
                    await holder.release()
            await settle()
            assert 0 <= room.held[0] <= total
            held = [each for each in room.holders if each.reservation and not each.task.done()]
            assert seats is None or len(held) <= seats
        await room.leave()
        assert await whole(room.budget, total)

    asyncio.run(run())


async def test_a_bot_or_chat_leaves_room_for_others() -> None:
    """Whatever one floods it with, the next one finds a seat, and bytes."""
    room = Room(1000, holders=32)
    for number in range(200):
        await room.take(4, shares=("sick", f"sick/{number % 3}"))
    flooded = sum(holder.reservation is not None for holder in room.holders)
    assert 16 <= flooded <= 29
    for number in range(3):
        other = await room.take(4, shares=("well", f"well/{number}"))
        assert other.reservation is not None
    await room.leave()
    assert await whole(room.budget, 1000)


async def test_chats_have_their_turns() -> None:
    room = Room(100, holders=1)
    first = await room.take(1, shares=("bot", "a"))
    for size, chat in ((11, "a"), (12, "a"), (13, "a"), (21, "b"), (22, "b"), (31, "c")):
        await room.take(size, shares=("bot", chat))
    while len(room.served) < 7:
        await first.release()
        await settle()
        first = next(each for each in room.holders if each.reservation and not each.task.done())
    assert room.served == [1, 11, 21, 31, 12, 22, 13]
    await room.leave()


async def test_what_somebody_waits_for_goes_first() -> None:
    room = Room(100, holders=1)
    first = await room.take(1)
    await room.take(2)
    late = await room.take(3)
    urgent = await room.take(4, urgent=True)
    late.hurry()
    for _ in range(3):
        await first.release()
        await settle()
        first = next(each for each in room.holders if each.reservation and not each.task.done())
    assert room.served == [1, 4, 3, 2]
    assert urgent.task.done()
    await room.leave()


async def test_growing_waits_for_room_and_never_for_ever() -> None:
    budget = ByteBudget(100)
    async with budget.reserve(30) as one, budget.reserve(30) as other:
        growing = [asyncio.create_task(each.grow(80)) for each in (one, other)]
        await asyncio.wait(growing, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        assert growing[0].done()  # one of them gets more than there is, for both would wait
        assert not growing[1].done()
        one.resize(10)
        await asyncio.wait_for(growing[1], 5)
    assert await whole(budget, 100)


async def test_giving_up_to_grow_loses_nothing() -> None:
    budget = ByteBudget(100)
    async with budget.reserve(60), budget.reserve(30) as one:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(one.grow(80), 0.05)
        assert one.size == 30
    assert await whole(budget, 100)
