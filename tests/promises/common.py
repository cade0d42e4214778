"""What the attacks share: what one says, pictures, a services that fetches from a table."""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

from nonebot.log import logger

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.fetch.fetcher import Fetcher
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.local.upkeep.maintenance import Finding

from ..store.pictures import Picture
from ..world import World

ROOMY = 1 << 40
_T = TypeVar("_T")


@dataclass(frozen=True)
class Line:
    """What came of one attack."""

    promise: str
    attack: str
    figures: str
    held: bool


Attack = Callable[[Path, bool], Awaitable[list[Line]]]
"""Given an empty folder, and whether to be quick."""


def open_store(folder: Path, max_size: int = ROOMY, max_age: float = 1e9) -> ImageStore:
    return ImageStore(folder, max_size=max_size, max_age=max_age)


@contextlib.asynccontextmanager
async def opened(folder: Path, max_size: int = ROOMY) -> AsyncGenerator[ImageStore, None]:
    store = open_store(folder, max_size)
    try:
        yield store
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def resolving(
    folder: Path, world: World, *, sightings: bool = True
) -> AsyncGenerator[Services, None]:
    """A services that fetches from a table of links."""
    store = ImageStore(folder, max_size=ROOMY, max_age=1e9, remember_sightings=sightings)
    services = Services.of(ScopedConfig(), store, cast(Fetcher, world), dict)
    try:
        yield services
    finally:
        await services.pipeline.close()


def pictures(numbers: Iterable[int], largest: int = 20_000) -> list[Picture]:
    """Different pictures, of sizes that look random."""
    return [Picture(number, random.Random(number).randrange(largest)) for number in numbers]


def link(picture: Picture, message: int) -> ImageReference:
    """A reference to a picture by a link, under the name that QQ gives it."""
    return ImageReference(
        self_id="1",
        message_id=str(message),
        file=f"{picture.info.md5.upper()}.png",
        url=f"http://{picture.info.md5}",
    )


def world_of(known: Iterable[Picture]) -> World:
    """Where these pictures can be fetched."""
    world = World()
    world.data = {link(picture, 0).url: picture.data for picture in known}
    return world


async def put(store: ImageStore, picture: Picture) -> None:
    await store.put(picture.reference, picture.info, picture.data, "test")


async def put_all(store: ImageStore, these: Iterable[Picture], at_once: int = 4) -> None:
    await each(these, lambda picture: put(store, picture), at_once)


async def each(
    items: Iterable[_T], work: Callable[[_T], Awaitable[object]], at_once: int = 4
) -> None:
    """Do something about each of the items, some at once."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    await asyncio.gather(*(worker() for _ in range(at_once)))


async def check_all(
    store: ImageStore, *, deep: bool = False, repair: bool = False, grace: float = 0.0
) -> list[Finding]:
    """What is wrong with the whole store."""
    found: list[Finding] = []
    for step in await store.upkeep.steps():
        found += await store.upkeep.check(step, deep=deep, repair=repair, grace=grace)
    return found


async def wrong_or_missing(store: ImageStore, expected: Iterable[Picture]) -> int:
    """How many of these pictures the store does not give as they were put."""
    bad = 0

    async def look(picture: Picture) -> None:
        nonlocal bad
        info = await store.find(picture.reference)
        bad += info != picture.info or await store.read(picture.info) != picture.data

    await each(expected, look)
    return bad


@contextlib.contextmanager
def logged(level: str) -> Iterator[list[str]]:
    """The lines that our plugin logs meanwhile, from this level on."""
    lines: list[str] = []
    handler = logger.add(
        lambda line: lines.append(str(line)),
        level=level,
        format="{message}",
        filter=lambda record: record["message"].startswith("qqimage:"),
    )
    try:
        yield lines
    finally:
        logger.remove(handler)
