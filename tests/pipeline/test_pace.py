"""Many who begin at once: a few in each turn of the event loop, all of them in their order."""

import asyncio

import pytest

from nonebot_plugin_qqimage.pipeline.pace import Pace


async def turns_of(count: int, pace: Pace) -> list[int]:
    """In which turn of the event loop each of so many went on."""
    now, going = 0, True

    async def counted() -> None:
        nonlocal now
        while going:
            now += 1
            await asyncio.sleep(0)

    async def one() -> int:
        await pace.turn()
        return now

    counting = asyncio.create_task(counted())
    found = await asyncio.gather(*(one() for _ in range(count)))
    going = False
    await counting
    return found


@pytest.mark.parametrize("count", [1, 8, 9, 100])
async def test_few_go_on_in_one_turn(count: int) -> None:
    found = await turns_of(count, Pace())
    assert found == sorted(found)
    assert max(found.count(turn) for turn in found) <= 16  # those of two turns at most
    assert found[-1] - found[0] <= count // 4 + 1


async def test_those_who_give_up_hold_nobody_up() -> None:
    pace = Pace()
    waiting = [asyncio.create_task(pace.turn()) for _ in range(50)]
    await asyncio.sleep(0)
    for each in waiting[:40]:
        each.cancel()
    await asyncio.wait(waiting, timeout=1)
    assert all(each.done() and not each.cancelled() for each in waiting[40:])
    await asyncio.wait_for(pace.turn(), 1)
