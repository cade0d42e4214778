"""One answer out of two ways to it, where the first may be slow or in vain."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ...errors import ImageUnavailable

_T = TypeVar("_T")
_Way = Coroutine[Any, Any, _T]


async def first_good(
    first: _Way[_T],
    second: Callable[[], _Way[_T]],
    *,
    patience: float | None,
    good: Callable[[_T], bool],
) -> _T:
    """What the first of two ways brings that brings something good.

    Args:
        first: one way, begun at once.
        second: makes the other way, begun when the first one takes long, or brings nothing good.
        patience: seconds that the first way may take by itself; None for as long as it takes.
        good: whether what the first way brings is good; what the second one brings always is.

    Raises:
        ImageUnavailable: neither brings it.
    """
    one = asyncio.create_task(first)
    other: asyncio.Task[_T] | None = None
    try:
        await asyncio.wait([one], timeout=patience)
        if (result := _of(one)) is not None and good(result):
            return result
        other = asyncio.create_task(second())
        await asyncio.wait([one, other], return_when=asyncio.FIRST_COMPLETED)
        if (result := _of(other)) is not None:
            return result
        await asyncio.wait([one])  # the other has failed, or has yet to come
        if (result := _of(one)) is not None and good(result):
            return result
        return await other
    finally:
        for task in (one, other):
            if task is not None:
                task.add_done_callback(lambda done: done.cancelled() or done.exception())
                task.cancel()


def _of(task: asyncio.Task[_T]) -> _T | None:
    """What a task has brought; None where it has yet to end, or has failed."""
    if not task.done():
        return None
    try:
        return task.result()
    except ImageUnavailable:
        return None
