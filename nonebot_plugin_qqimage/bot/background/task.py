"""A task that runs beside the bot: started and ended with it, and stopped by nothing in between."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import anyio

from ...errors import StoreError
from ...language import say
from ...log import logger


class BackgroundTask:
    """Runs some work again and again, for as long as the bot runs.

    It is a task of its own: one that fails in the driver's task group would end every other
    plugin's tasks, and with some drivers the bot.

    Args:
        name: what the log calls it.
        work: done again and again; gives the seconds to wait until the next time, or None when it
            is done for good.
        after_trouble: seconds to wait when it has failed.
        delay: seconds to wait before the first time.
        at_end: done when it has been stopped; a store that cannot be used is no matter then.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[float | None]],
        *,
        after_trouble: float,
        delay: float = 0.0,
        at_end: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._name = name
        self._work = work
        self._after_trouble = after_trouble
        self._complain: Callable[[StoreError], None] = lambda _: None
        self._delay = delay
        self._at_end = at_end
        self._task: asyncio.Task[None] | None = None
        self._hurried = asyncio.Event()

    def start(self, complain: Callable[[StoreError], None]) -> None:
        """Begin, without waiting for anything.

        Args:
            complain: told when the store cannot be used.
        """
        self._complain = complain
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._at_end is not None:
            with contextlib.suppress(StoreError):
                await self._at_end()

    def hurry(self) -> None:
        """Do the next piece of work now."""
        self._hurried.set()

    async def _run(self) -> None:
        await asyncio.sleep(self._delay)
        while True:
            self._hurried.clear()
            pause = await self._once()
            if pause is None:
                return
            # not wait_for: before Python 3.12 that swallows the end where it is hurried just then
            with anyio.move_on_after(pause):
                await self._hurried.wait()

    async def _once(self) -> float | None:
        try:
            return await self._work()
        except StoreError as error:
            self._complain(error)
        except Exception:  # noqa: BLE001  the next time may do better, and the bot must go on
            logger.exception(say("qqimage: {name} failed, please report it", name=self._name))
        return self._after_trouble
