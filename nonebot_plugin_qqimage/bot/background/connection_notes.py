"""What was learned from connections, kept in the store: a restart of the bot does not lose it."""

import json
import time
from typing import Any

from ...language import say
from ...log import logger
from ..services import Services
from .task import BackgroundTask

_PREFIX = "connection:"
_GLANCE = 2.0
"""Seconds after which something may have been learned."""
_MAX_AGE = 7 * 24 * 3600.0
"""Seconds after which it is not believed any more: programs are updated, and settings changed."""


class ConnectionNotes:
    """Keeps what `ConnectionHistory` should know after the next start.

    Args:
        services: of the bot.
    """

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._histories = services.implementations.histories
        self._recalled = False
        self.task = BackgroundTask(
            "connection notes", self._work, after_trouble=_GLANCE, at_end=self._keep
        )
        """Recalls, and then writes down what is new."""

    async def _work(self) -> float:
        if not self._recalled:
            await self._recall()
            self._recalled = True
        await self._keep()
        return _GLANCE

    async def _recall(self) -> None:
        await self._store.notes.forget(_PREFIX, before=time.time() - _MAX_AGE)
        for name, (text, _) in (await self._store.notes.find(_PREFIX)).items():
            try:
                self._histories[name[len(_PREFIX) :]].recall(json.loads(text))
            except (ValueError, KeyError, TypeError, AttributeError):
                logger.warning(
                    say("qqimage: a note on connections cannot be read: {name}", name=name)
                )

    async def _keep(self) -> None:
        for self_id, history in list(self._histories.items()):
            if history.changed:
                history.changed = False
                note: dict[str, Any] = history.note()
                await self._store.notes.leave(f"{_PREFIX}{self_id}", json.dumps(note))
