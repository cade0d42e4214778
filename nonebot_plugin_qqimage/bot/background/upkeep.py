"""Upkeep: the store is checked and brought within its bounds, beside everything else."""

import asyncio
from collections import Counter

from ...doctor.figures import counted
from ...language import say
from ...log import logger
from ...store.image_store import ImageStore
from ...store.local.upkeep.maintenance import in_words
from .task import BackgroundTask

_INTERVAL = 3600.0
"""Seconds from one round to the next."""
_AFTER_TROUBLE = 60.0
"""Seconds to wait when the store could not be used: a new index may have to be filled."""
_SHARE = 10
"""How many times as long as each step the pause after it is, so that nobody notices."""


def upkeep(store: ImageStore) -> BackgroundTask:
    """The task that keeps a store in order, round by round.

    Args:
        store: the store.
    """

    async def work() -> float:
        await _round(store)
        return _INTERVAL

    return BackgroundTask("upkeep", work, after_trouble=_AFTER_TROUBLE)


async def _round(store: ImageStore) -> None:
    loop = asyncio.get_running_loop()
    await store.upkeep.evict()
    await store.annotations.tidy()
    found: Counter[str] = Counter()
    for step in await store.upkeep.steps(thorough=False):
        started = loop.time()
        found.update(finding.trouble for finding in await store.upkeep.check(step, repair=True))
        await asyncio.sleep(_SHARE * (loop.time() - started))
    del found["foreign"]  # not ours, left alone
    if found:
        what = counted(found.most_common(), in_words)
        logger.info(say("qqimage: put the store in order: {what}", what=what))
