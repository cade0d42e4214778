"""The bots that run: what each leaves in its store, for the command line is another process."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..config import ScopedConfig
from ..masking import mask_keys
from ..store.image_store import ImageStore

PREFIX = "bot:"
"""What the names of the notes start with that bots leave in the store."""
MAX_AGE = 120.0
"""Seconds after which a bot that has left no note does not run any more."""
_FIELDS = {"pid", "folder", "driver", "versions", "settings", "bots"}


@dataclass(frozen=True)
class RunningBot:
    """What a running bot said of itself."""

    age: float
    """Seconds ago."""
    said: Mapping[str, Any]
    """The process, its versions and settings, and its implementations."""


async def running_bots(store: ImageStore) -> list[RunningBot]:
    """What the bots that run say of themselves.

    Raises:
        StoreError: the store cannot be read.
    """
    notes, now = await store.notes(PREFIX), time.time()
    heard = [
        RunningBot(now - kept, json.loads(text))
        for text, kept in notes.values()
        if now - kept < MAX_AGE
    ]
    return [bot for bot in heard if bot.said.keys() >= _FIELDS]


def public(config: ScopedConfig) -> dict[str, Any]:
    """The settings, without anybody's password."""
    return {
        **vars(config),
        "proxy": mask_keys(config.proxy),
        "mirrors": {host: mask_keys(base) for host, base in config.mirrors.items()},
    }
