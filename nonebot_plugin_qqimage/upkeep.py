"""Upkeep: the store is checked and brought within its bounds, beside everything else."""

import asyncio
from collections import Counter

from nonebot.log import logger

from .beside import Beside

_INTERVAL = 3600.0
"""Seconds from one round to the next."""
_AFTER_TROUBLE = 60.0
"""The same, when the store could not be used."""
_SHARE = 10
"""How many times as long as each step the pause after it is, so that nobody notices."""


class Upkeep(Beside):
    """Keeps the store in order, round by round."""

    async def _run(self) -> None:
        while True:
            usable = await self._guard(self._round())
            # after trouble, a new index may be waiting to be filled
            await asyncio.sleep(_INTERVAL if usable else _AFTER_TROUBLE)

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
