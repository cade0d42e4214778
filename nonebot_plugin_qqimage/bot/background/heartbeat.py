"""Heartbeat: a running bot leaves a note in its store, for whoever asks how it is."""

import asyncio
import json
import os
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

import anyio.to_thread
from nonebot import get_driver
from nonebot.adapters import Bot

from ...doctor.bots.implementations import known_of
from ...doctor.bots.process import process_namespace, process_state
from ...doctor.bots.running import INTERVAL, MAX_AGE, PREFIX, public
from ...doctor.machine.versions import versions
from ...doctor.store.lately import Lately
from ..services import Services
from .task import BackgroundTask

_INTERVAL = INTERVAL
"""Seconds after which a note is left in any case."""
_GLANCE = 2.0
"""Seconds after which something may have changed that is worth an earlier note."""


class Heartbeat:
    """Leaves notes: the process, its versions and settings, and its implementations.

    Args:
        services: of the bot.
        lately: gives what became of images in the last hour.
        page: gives the base URLs at which this process has the operator's page.
    """

    def __init__(
        self,
        services: Services,
        lately: Callable[[], Lately] | None = None,
        page: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._services = services
        self._page = page
        self._lately = lately or (lambda: Lately(came=0, failed={}))
        # ends in a colon, so that forgetting it forgets no note whose name starts like it
        self.name = f"{PREFIX}{socket.gethostname()}:{os.getpid()}:"
        """The name of the note."""
        self.task = BackgroundTask(
            "heartbeat", self._work, after_trouble=_GLANCE, at_end=self._take_back
        )
        """Leaves the note, and takes it back at the end."""
        self._process: dict[str, Any] = {}
        self._said: tuple[object, ...] = ()
        self._left: float | None = None

    async def change(self, bot: Bot) -> None:
        """Leave a note at once: a bot has come or gone."""
        self.task.hurry()

    async def _work(self) -> float:
        if not self._process:
            self._process = await self._learn()
        await self._glance()
        return _GLANCE

    async def _take_back(self) -> None:
        await self._services.store.notes.forget(self.name, before=time.time() + 1)

    async def _learn(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "namespace": await anyio.to_thread.run_sync(process_namespace),
            "born": (await anyio.to_thread.run_sync(process_state, os.getpid()))[1],
            "folder": await anyio.to_thread.run_sync(os.getcwd),
            "started": time.time(),
            "driver": get_driver().type,
            "versions": await versions(),
            "settings": public(self._services.config),
        }

    async def _glance(self) -> None:
        implementations = self._services.implementations.connected
        due = self._left is None or time.monotonic() - self._left >= _INTERVAL
        if due and self._left is not None:  # ask who they are, if nobody had to yet
            await asyncio.gather(*(each.identify() for each in implementations))
        known = [known_of(each) for each in implementations]
        lately = self._lately()
        page = [*self._page()]
        news = (known, lately["failed"], lately["came"] > 0, page)
        if news == self._said and not due:
            return
        self._said, self._left = news, time.monotonic()
        said = {**self._process, "bots": known, "last_hour": lately, "page": page}
        text = json.dumps(said, ensure_ascii=False)
        await self._services.store.notes.leave(self.name, text)
        await self._services.store.notes.forget(PREFIX, before=time.time() - MAX_AGE)
