"""Single-flight: many who want the same thing at the same time cause it to be done once.

The work runs in a task of its own, so nobody who stops waiting can stop it for the others.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")


class Flights(Generic[_T]):
    """Work under way, by key.

    Args:
        limit: how many may be under way, counting those that wait for their turn.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tasks: dict[str, asyncio.Task[_T]] = {}

    @property
    def full(self) -> bool:
        """Whether no further work can be taken on."""
        return len(self._tasks) >= self._limit

    def __contains__(self, key: str) -> bool:
        return key in self._tasks

    def join(self, key: str, work: Callable[[], Coroutine[Any, Any, _T]]) -> asyncio.Future[_T]:
        """The result of this key's work, which is started unless it is under way.

        Cancelling what is returned leaves the work alone.
        """
        task = self._under_way(key, work)
        waiter: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        task.add_done_callback(lambda done: _tell(waiter, done))
        return waiter

    def start(self, key: str, work: Callable[[], Coroutine[Any, Any, _T]]) -> None:
        """Have the work done without waiting; its outcome is for those who join."""
        self._under_way(key, work)

    async def close(self) -> None:
        """Cancel what is under way, and wait until it has ended. No more is taken on."""
        self._limit = 0
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _under_way(self, key: str, work: Callable[[], Coroutine[Any, Any, _T]]) -> asyncio.Task[_T]:
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(work())
            task.add_done_callback(lambda done: self._landed(key, done))
        return task

    def _landed(self, key: str, task: asyncio.Task[_T]) -> None:
        del self._tasks[key]
        _retrieve(task)


def _tell(waiter: asyncio.Future[_T], task: asyncio.Task[_T]) -> None:
    # not `shield`: from Python 3.14 it logs each failure that a cancelled waiter did not see
    if waiter.done():
        return
    if task.cancelled():
        waiter.cancel()
    elif error := task.exception():
        waiter.set_exception(error)
    else:
        waiter.set_result(task.result())


def _retrieve(future: asyncio.Future[Any]) -> None:
    """Look at the exception, or asyncio complains that nobody did."""
    if not future.cancelled():
        future.exception()
