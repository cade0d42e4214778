"""Word of a running bot, left in its store every half minute for whoever asks how it is."""

import asyncio
import contextlib
import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from nonebot import get_driver
from nonebot.adapters import Bot

from ..beside import Beside
from ..config import ScopedConfig
from ..errors import mask_keys
from ..resolver import ImageResolver
from ..store import Index
from .peers import known_of
from .versions import versions

_INTERVAL = 30.0
_GLANCE = 2.0
"""Seconds after which something may have changed that is worth an earlier word."""
_PREFIX = "bot:"
_MAX_AGE = 120.0
"""Seconds after which a bot that has said nothing does not run any more."""
_FIELDS = {"pid", "folder", "driver", "versions", "settings", "bots"}


@dataclass(frozen=True)
class Word:
    """What a running bot said of itself."""

    age: float
    """Seconds ago."""
    said: Mapping[str, Any]
    """What it said: see `Heartbeat`."""


class Heartbeat(Beside):
    """Leaves word: the process, its versions and settings, and its peers.

    Args:
        resolver: the bot's.
    """

    def __init__(self, resolver: ImageResolver) -> None:
        super().__init__(resolver)
        self._name = f"{_PREFIX}{socket.gethostname()}:{os.getpid()}"
        self._changed = asyncio.Event()
        self._process: dict[str, Any] = {}
        self._known: list[dict[str, Any]] = []
        self._beaten: float | None = None

    async def stop(self) -> None:
        """End, and take the word back."""
        await super().stop()
        await self._guard(self._resolver.store.query(self._take_back))

    async def change(self, bot: Bot) -> None:
        """Leave word at once: a bot has come or gone."""
        self._changed.set()

    async def _run(self) -> None:
        await self._guard(self._learn())
        while True:
            self._changed.clear()
            await self._guard(self._beat())
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), _GLANCE)

    async def _learn(self) -> None:
        driver = get_driver()
        self._process = {
            "pid": os.getpid(),
            "folder": await anyio.to_thread.run_sync(os.getcwd),
            "started": time.time(),
            "driver": driver.type,
            "versions": await versions(),
            "settings": public(self._resolver.config),
        }

    async def _beat(self) -> None:
        due = self._beaten is None or time.monotonic() - self._beaten >= _INTERVAL
        if due and self._beaten is not None:  # ask peers what they are, if nobody had to yet
            await asyncio.gather(*(peer.introduce() for peer in self._resolver.peers))
        known = [known_of(peer) for peer in self._resolver.peers]
        if known == self._known and not due:
            return
        self._known, self._beaten = known, time.monotonic()
        text = json.dumps({**self._process, "bots": known}, ensure_ascii=False)

        def leave(index: Index) -> None:
            with index.transaction():
                index.note(self._name, text)
                index.forget_notes(_PREFIX, time.time() - _MAX_AGE)

        await self._resolver.store.query(leave)

    def _take_back(self, index: Index) -> None:
        index.forget_notes(self._name, time.time() + 1)


def words(index: Index) -> list[Word]:
    """What the bots that run say of themselves. Blocks."""
    now = time.time()
    heard = [
        Word(now - kept, json.loads(text))
        for text, kept in index.notes(_PREFIX).values()
        if now - kept < _MAX_AGE
    ]
    return [word for word in heard if word.said.keys() >= _FIELDS]


def public(config: ScopedConfig) -> dict[str, Any]:
    """The settings, without anybody's password."""
    return {
        **vars(config),
        "proxy": mask_keys(config.proxy),
        "mirrors": {host: mask_keys(base) for host, base in config.mirrors.items()},
    }
