"""Decoding, one picture at a time in a thread of its own: a large one takes hundreds of megabytes.

Pillow's warnings can only be silenced for the whole process, which is another reason.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import anyio
from anyio.lowlevel import RunVar

_Read = TypeVar("_Read")
_T = TypeVar("_T")
_THREAD = ThreadPoolExecutor(1, thread_name_prefix="qqimage-vision")
_TURN: RunVar[anyio.CapacityLimiter] = RunVar("qqimage vision turn")
"""Lets one picture at a time be read and worked on; those who wait hold no bytes."""


async def in_turn(read: Callable[[], Awaitable[_Read]], work: Callable[[_Read], _T]) -> _T:
    """What some work on a picture gives, done when it is this picture's turn.

    Args:
        read: gives what is worked on; it is called when the turn has come.
        work: done in the thread.
    """
    turn = _TURN.get(None)
    if turn is None:
        turn = anyio.CapacityLimiter(1)
        _TURN.set(turn)
    async with turn:
        found = await read()
        # not `anyio.to_thread`: a caller that is cancelled would leave its thread running, and the
        # next picture would be worked on at the same time
        return await asyncio.get_running_loop().run_in_executor(_THREAD, work, found)
