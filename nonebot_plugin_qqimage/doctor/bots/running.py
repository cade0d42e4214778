"""The bots that run: what each leaves in its store, for the command line is another process."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...config import ScopedConfig
from ...masking import mask_keys, mask_password
from ...store.image_store import ImageStore

PREFIX = "bot:"
"""What the names of the notes start with that bots leave in the store."""
INTERVAL = 30.0
"""Seconds after which a bot that runs leaves its note anew."""
MAX_AGE = 120.0
"""Seconds after which a bot that has left no note does not run any more."""
_FIELDS = {"pid", "folder", "driver", "versions", "settings", "bots"}


@dataclass(frozen=True)
class RunningBot:
    """What a running bot said of itself."""

    name: str
    """The name of its note."""
    age: float
    """Seconds ago."""
    said: Mapping[str, Any]
    """The process, its versions and settings, and its implementations."""

    @property
    def host(self) -> str:
        """The name of the machine, or container, that the process runs on."""
        return self.name.removeprefix(PREFIX).rsplit(":", 2)[0]


async def running_bots(store: ImageStore) -> list[RunningBot]:
    """What the bots that run say of themselves.

    Raises:
        StoreError: the store cannot be read.
    """
    notes, now = await store.notes.find(PREFIX), time.time()
    heard = [
        RunningBot(name, now - kept, json.loads(text))
        for name, (text, kept) in notes.items()
        if now - kept < MAX_AGE
    ]
    return [bot for bot in heard if bot.said.keys() >= _FIELDS]


def public(config: ScopedConfig) -> dict[str, Any]:
    """The settings, without anybody's password."""
    return {
        **vars(config),
        "proxy": mask_keys(config.proxy),
        "shared_store": mask_password(config.shared_store),
        "mirrors": {host: mask_keys(base) for host, base in config.mirrors.items()},
    }
