"""Upkeep: the store is checked and brought within its bounds, beside everything else."""

import asyncio
from collections import Counter

from nonebot.log import logger

from .errors import StoreError
from .resolver import ImageResolver

_INTERVAL = 3600.0
"""Seconds from one round to the next."""
_AFTER_TROUBLE = 60.0
"""The same, when the store could not be used."""
_SHARE = 10
"""How many times as long as each step the pause after it is, so that nobody notices."""


class Upkeep:
    """A task that keeps the store in order.

    Args:
        resolver: whose store it is.
    """

    def __init__(self, resolver: ImageResolver) -> None:
        self._resolver = resolver
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin, without waiting for the first round."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            pause = _INTERVAL
            try:
                await self._round()
            except StoreError as error:
                pause = _AFTER_TROUBLE  # a new index may be waiting to be filled
                self._resolver.complain(error)
            except Exception:  # noqa: BLE001  the next round may do better, and the bot must go on
                logger.exception("qqimage: upkeep failed, please report it")
            await asyncio.sleep(pause)

    async def _round(self) -> None:
        store, loop = self._resolver.store, asyncio.get_running_loop()
        await store.evict()
        found: Counter[str] = Counter()
        for step in await store.steps():
            started = loop.time()
            found.update(finding.trouble for finding in await store.check(step, repair=True))
            await asyncio.sleep(_SHARE * (loop.time() - started))
        del found["foreign"]  # not ours, left alone
        if found:
            what = ", ".join(f"{count} {trouble}" for trouble, count in found.most_common())
            logger.info(f"qqimage: put the store in order: {what}")
