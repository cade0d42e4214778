"""Synchronising: what other hosts do reaches this one, and the other way round, beside the bot."""

from .background import BackgroundTask
from .services import Services

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
    task = BackgroundTask(
        "synchronising",
        tier.synchronise,
        after_trouble=_AFTER_TROUBLE,
        complain=services.pipeline.store_trouble.log,
    )
    tier.hurry = task.hurry
    return task
