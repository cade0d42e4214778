"""Single-flight: many who want the same thing at the same time cause it to be done once.

The work runs in a task of its own, so nobody who stops waiting can stop it for the others. It may
deliver its result before it has ended; who joins in between gets the result at once.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")
Work = Callable[[Callable[[_T], None]], Coroutine[Any, Any, None]]
"""Does something; it is given what delivers its result, which it calls once, or raises."""


_GRACE = 2.0
"""Seconds for work that has delivered its result; NoneBot itself ends after some more."""


@dataclass(frozen=True)
class _Flight(Generic[_T]):
    """Work under way."""

    task: asyncio.Task[None]
    result: asyncio.Future[_T]


class Flights(Generic[_T]):
    """Work under way, by key.

    Args:
        limit: how many may be under way, counting those that wait for their turn.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._flights: dict[str, _Flight[_T]] = {}

    @property
    def full(self) -> bool:
        """Whether no further work can be taken on."""
        return len(self._flights) >= self._limit

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, key: str) -> bool:
        return key in self._flights

    def delivered(self, key: str) -> bool:
        """Whether this key's work is under way, and has its result already."""
        flight = self._flights.get(key)
        return flight is not None and flight.result.done()

    async def ended(self, key: str, unless: asyncio.Future[None] | None = None) -> None:
        """Wait until this key's work has ended, whatever came of it, or something else is done.

        Args:
            key: the key.
            unless: what else may be done, if anything.
        """
        flight = self._flights.get(key)
        if flight is not None:
            either = [flight.task] if unless is None else [flight.task, unless]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)

    def join(self, key: str, work: Work[_T]) -> asyncio.Future[_T]:
        """The result of this key's work, which is started unless it is under way.

        Cancelling what is returned leaves the work alone.
        """
        result = self._under_way(key, work).result
        waiter: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        result.add_done_callback(lambda done: _pass_on(done, waiter))
        return waiter

    def start(self, key: str, work: Work[_T]) -> None:
        """Have the work done without waiting; its outcome is for those who join."""
        self._under_way(key, work)

    async def close(self) -> None:
        """Cancel what is under way, and wait until it has ended. No more is taken on.

        Work that has delivered its result is given a moment to end by itself.
        """
        self._limit = 0
        ending = [flight.task for flight in self._flights.values() if flight.result.done()]
        if ending:
            await asyncio.wait(ending, timeout=_GRACE)
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _under_way(self, key: str, work: Work[_T]) -> _Flight[_T]:
        flight = self._flights.get(key)
        if flight is None:
            result: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
            task = asyncio.create_task(work(result.set_result))
            flight = self._flights[key] = _Flight(task, result)
            task.add_done_callback(lambda done: self._ended(key, done, result))
        return flight

    def _ended(self, key: str, task: asyncio.Task[None], result: asyncio.Future[_T]) -> None:
        del self._flights[key]
        # looked at in any case, or asyncio complains that nobody did
        error = None if task.cancelled() else task.exception()
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
            result.exception()
        else:
            result.cancel()


def _pass_on(result: asyncio.Future[_T], waiter: asyncio.Future[_T]) -> None:
    # not `shield`: from Python 3.14 it logs each failure that a cancelled waiter did not see
    if waiter.done():
        return
    if result.cancelled():
        waiter.cancel()
    elif error := result.exception():
        waiter.set_exception(error)
    else:
        waiter.set_result(result.result())
