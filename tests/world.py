"""A world of images, and resolvers that fetch from it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.content import inspect
from nonebot_plugin_qqimage.errors import Attempt, Cause
from nonebot_plugin_qqimage.reference import ImageReference
from nonebot_plugin_qqimage.resolver import ImageResolver
from nonebot_plugin_qqimage.sources import Fetch, Fetched, Sources
from nonebot_plugin_qqimage.store import ImageStore

from .store.pictures import Picture

PICTURE = Picture(1)
OTHER = Picture(2)


class World:
    """Where images come from, by their links; fetching them waits while the gate is closed."""

    def __init__(self) -> None:
        self.data: dict[str, bytes | Exception] = {}
        self.fetched: list[ImageReference] = []
        self.cancelled: list[ImageReference] = []
        self.open = asyncio.Event()
        self.open.set()
        self.closed = False

    async def fetch(self, fetch: Fetch) -> tuple[Fetched | None, tuple[Attempt, ...]]:
        reference = fetch.reference
        self.fetched.append(reference)
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled.append(reference)
            raise
        data = self.data.get(reference.url or reference.content)
        if isinstance(data, Exception):
            raise data
        if data is None:
            return None, (Attempt("url of the segment", Cause.EXPIRED, "dead", 0.1),)
        info = inspect(data, max_size=1 << 30, max_pixels=1 << 30, max_frames=1 << 30)
        return Fetched(info, data, "url of the segment"), ()

    async def close(self) -> None:
        self.closed = True


Make = Callable[..., ImageResolver]


@pytest.fixture
def world() -> World:
    world = World()
    world.data = {"good": PICTURE.data, "other": OTHER.data}
    return world


@pytest.fixture
async def make(world: World, tmp_path: Path) -> AsyncGenerator[Make, None]:
    made: list[ImageResolver] = []

    def make(**settings: Any) -> ImageResolver:
        config = ScopedConfig(**settings)
        store = ImageStore(
            tmp_path / "store",
            max_size=config.max_store_size,
            max_age=config.max_age,
            remember_sightings=config.sightings,
        )
        made.append(ImageResolver(config, store, cast(Sources, world), dict))
        return made[-1]

    yield make
    world.open.set()
    for resolver in made:
        await resolver.close()


@pytest.fixture
def resolver(make: Make) -> ImageResolver:
    return make()
