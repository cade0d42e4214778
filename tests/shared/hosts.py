"""Hosts: stores with folders of their own, and the shared store behind them."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
from yarl import URL

from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.shared.postgresql.postgresql import PostgreSQL

ROOMY = 1 << 40


class Hosts:
    """Makes hosts, and ends them.

    Args:
        folder: where their folders are made.
        database: the URL of the database behind them.
    """

    def __init__(self, folder: Path, database: str) -> None:
        self._folder = folder
        self.database = database
        self._stores: list[ImageStore] = []
        self._tasks: dict[ImageStore, asyncio.Task[None]] = {}

    def store(self, name: str, *, url: str = "", **settings: Any) -> ImageStore:
        """A store whose synchronising has not begun."""
        given = {
            "max_size": ROOMY,
            "max_age": 1e9,
            "max_shared_size": ROOMY,
            "memory_size": 1 << 20,
        }
        shared = PostgreSQL(url or self.database, 2.0)
        store = ImageStore(self._folder / name, shared=shared, **{**given, **settings})
        self._stores.append(store)
        return store

    def through(self, port: int) -> str:
        """The URL of the database by way of another port, as of a proxy."""
        return str(URL(self.database).with_port(port))

    async def start(self, name: str, **settings: Any) -> ImageStore:
        """A store that has reached the shared one."""
        store = self.store(name, **settings)
        self.run(store)
        assert store.tier is not None
        await until(lambda: store.tier.breaker.closed or self._tasks[store].done())
        if self._tasks[store].done():
            self._tasks[store].result()
        return store

    def run(self, store: ImageStore) -> None:
        """Begin to synchronise a store, as a bot does beside everything else."""
        tier, hurried = store.tier, asyncio.Event()
        assert tier is not None
        tier.hurry = hurried.set

        async def synchronise() -> None:
            while True:
                hurried.clear()
                pause = await tier.synchronise()
                with anyio.move_on_after(pause):
                    await hurried.wait()

        self._tasks[store] = asyncio.ensure_future(synchronise())

    async def stop(self, store: ImageStore) -> None:
        """Synchronise a store no more, as if its host were away."""
        if (task := self._tasks.pop(store, None)) is not None:
            task.cancel()
            await asyncio.wait({task})

    async def close(self) -> None:
        for store in self._stores:
            await self.stop(store)
            await store.close()


async def until(true: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not become true"
        await asyncio.sleep(0.01)
