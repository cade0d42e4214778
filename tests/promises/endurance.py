"""Promise 9: a bot that runs for long takes no more memory, descriptors and threads for it."""

import contextlib
import gc
import os
import threading
from pathlib import Path
from typing import Any, cast

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.fetch.fetcher import Fetched, Fetcher
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..benchmarks.memory import resident
from ..store.pictures import Picture
from ..world import World
from .common import Line, each

_PROMISE = "flat"
_ROOM = 50_000_000
_GROWTH = 24.0
"""Megabytes: what is remembered of references and files has bounds, and reaches them."""


class _Endless(World):
    """Where every picture there may be is."""

    async def fetch(self, reference: ImageReference, *others: Any) -> tuple[Fetched | None, Any]:
        self.fetched.clear()
        picture = Picture(int(reference.message_id), 3000)
        return Fetched(picture.info, picture.data, "url of the segment"), ()


async def attack(folder: Path, quick: bool) -> list[Line]:
    images = 1000 if quick else 20_000
    store = ImageStore(folder, max_size=_ROOM, max_age=1e9, memory_size=4_000_000)
    services = Services.of(ScopedConfig(), store, cast(Fetcher, _Endless()), dict)

    async def one(number: int) -> None:
        chat = f"group:{number % 50}"
        said = {"file": f"{number}.png", "url": f"u{number}", "chat": chat}
        reference = ImageReference("1", str(number), **said)
        services.store.saw(Sighting(reference, chat, "1", 1.7e9 + number))
        services.pipeline.prefetch(reference)
        await services.resolver.image(reference).read()

    try:
        half = images // 2
        await each(range(half), one, 16)
        before = _held()
        await each(range(half, images), one, 16)
        after = _held()
    finally:
        await services.pipeline.close()
    grown = [b - a for a, b in zip(before, after, strict=True)]
    return [
        Line(
            _PROMISE,
            f"{images:,} distinct images through one bot, the second half against the first",
            f"{grown[0]:+.0f} MB of memory, {grown[1]:+.0f} descriptors, {grown[2]:+.0f} threads",
            grown[0] <= _GROWTH and grown[1] <= 8 and grown[2] <= 4,
        )
    ]


def _held() -> tuple[float, float, float]:
    gc.collect()
    descriptors = 0
    with contextlib.suppress(OSError):
        descriptors = len(os.listdir("/proc/self/fd"))
    return resident("self") or 0.0, descriptors, threading.active_count()
