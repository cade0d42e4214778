"""A world of images, and resolvers that fetch from it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.errors import Attempt, Cause
from nonebot_plugin_qqimage.fetch.fetcher import Fetched, Fetcher
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.image_store import ImageStore

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

    async def fetch(
        self, reference: ImageReference, *_: object
    ) -> tuple[Fetched | None, tuple[Attempt, ...]]:
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


Make = Callable[..., Services]


@pytest.fixture
def world() -> World:
    world = World()
    world.data = {"good": PICTURE.data, "other": OTHER.data}
    return world


@pytest.fixture
async def make(world: World, tmp_path: Path) -> AsyncGenerator[Make, None]:
    made: list[Services] = []

    def make(**settings: Any) -> Services:
        config = ScopedConfig(**settings)
        store = ImageStore(
            tmp_path / "store",
            max_size=config.max_store_size,
            max_age=config.max_age,
            remember_sightings=config.sightings,
        )
        made.append(Services.of(config, store, cast(Fetcher, world), dict))
        return made[-1]

    yield make
    world.open.set()
    for services in made:
        await services.pipeline.close()


@pytest.fixture
def services(make: Make) -> Services:
    return make()
