"""Warm-up: what downloads need is imported once the bot has started, not with the first download.

Imports and TLS contexts take about a second of a thread. Whoever waits for the first download
should not wait for them, and neither should the start of the bot.
"""

import asyncio
from collections.abc import Awaitable, Callable

from nonebot.log import logger

from ..language import say

_AFTER = 20.0
"""Seconds after the start: implementations connect and events come in before."""


class WarmUp:
    """Does some work once, a while after the bot has started.

    Args:
        work: what is done; a failure is logged, and shows again where the work is really needed.
    """

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to wait."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Leave it undone, where it was not done yet."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        await asyncio.sleep(_AFTER)
        try:
            await self._work()
        except Exception:  # noqa: BLE001  nobody waits for it, and the bot must go on
            logger.exception(say("qqimage: {name} failed, please report it", name="warm-up"))
