"""A task beside the bot: begun and ended with it, and stopped by nothing in between."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any

from nonebot.log import logger

from .errors import StoreError
from .resolver import ImageResolver


class Beside(ABC):
    """Work that goes on for as long as the bot runs.

    Args:
        resolver: the bot's.
    """

    def __init__(self, resolver: ImageResolver) -> None:
        self._resolver = resolver
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin, without waiting for anything."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    @abstractmethod
    async def _run(self) -> None: ...

    async def _guard(self, work: Coroutine[Any, Any, None]) -> bool:
        """Do some of the work, and log what goes wrong; whether the store could be used."""
        try:
            await work
        except StoreError as error:
            self._resolver.complain(error)
            return False
        except Exception:  # noqa: BLE001  the next time may do better, and the bot must go on
            logger.exception(f"qqimage: {type(self).__name__} failed, please report it")
        return True
