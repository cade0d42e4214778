"""Synchronising: what other hosts do reaches this one, and the other way round, beside the bot."""

from ..services import Services
from .task import BackgroundTask

_AFTER_TROUBLE = 5.0
"""Seconds to wait when the local store could not be used; trouble with the shared one is its own
matter."""


def synchronising(services: Services) -> BackgroundTask | None:
    """The task that keeps the store in step with the shared one; None where there is none.

    Args:
        services: of the bot.
    """
    tier = services.store.tier
    if tier is None:
        return None
    agreed = False

    async def work() -> float:
        nonlocal agreed
        pause = await tier.synchronise()
        if not agreed and tier.breaker.closed:
            agreed = await services.links.share(services.store.folder, tier.agree)
        return pause

    task = BackgroundTask("synchronising", work, after_trouble=_AFTER_TROUBLE)
    tier.hurry = task.hurry
    return task
