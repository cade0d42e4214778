"""Promise 8: one bot or chat that drips, hangs or floods does not slow the others down."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.errors import Attempt
from nonebot_plugin_qqimage.fetch.fetcher import Fetched, Fetcher
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..fetch.http_server import Request, Server, reply, serving
from ..store.pictures import Picture
from .common import ROOMY, Line, logged

_PROMISE = "fair shares"
_DRIPPING = 200
_A_ROUND = 1000


async def attack(folder: Path, quick: bool) -> list[Line]:
    images = 40 if quick else 200
    # a machine with other things to do delays some; whoever waits for a drip waits for seconds
    slack = 0.5 if quick else 0.005
    return [
        await _dripping(folder / "drips", images, slack),
        await _sick_bot(folder / "sick", images, slack),
        await _flood(folder / "flood", 600 if quick else 6000),
    ]


class _Hanging(Fetcher):
    """A fetcher to which one bot's implementation never answers."""

    async def fetch(
        self, reference: ImageReference, *others: Any
    ) -> tuple[Fetched | None, tuple[Attempt, ...]]:
        if reference.self_id == "sick":
            await asyncio.sleep(3600)
        return await super().fetch(reference, *others)


@contextlib.asynccontextmanager
async def _bot(folder: Path, fetcher: type[Fetcher] = Fetcher) -> AsyncGenerator[Services, None]:
    config = ScopedConfig(trusted_hosts=["127.0.0.1"])
    store = ImageStore(folder, max_size=ROOMY, max_age=1e9)
    services = Services.of(config, store, fetcher(config), dict)
    await services.pipeline.warm_up()
    try:
        yield services
    finally:
        await services.pipeline.close()


@contextlib.asynccontextmanager
async def _host() -> AsyncGenerator[Server, None]:
    async def drip(request: Request) -> None:
        request.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 33554432\r\n\r\n")
        while True:
            request.writer.write(b"x")
            await request.writer.drain()
            await asyncio.sleep(0.5)

    async with serving() as server:
        server["/drip"] = drip
        for number in range(_A_ROUND * 3):
            server[f"/{number}"] = reply(Picture(number, 2000).data)
        yield server


def _reference(server: Server, number: int, *, bot: str = "well", path: str = "") -> ImageReference:
    url = server.url(path or f"/{number}")
    return ImageReference(bot, str(number), file=f"{number}.png", url=url)


def _take_in(services: Services, reference: ImageReference, chat: str) -> None:
    services.pipeline.prefetch(replace(reference, chat=chat))


async def _best_p95(services: Services, server: Server, first: int, images: int) -> float:
    """The best of three, for the machine has other things to do now and then."""
    return min([await _p95(services, server, first + n * images, images) for n in range(3)])


async def _p95(services: Services, server: Server, first: int, images: int) -> float:
    """Seconds in which nearly all pictures of a healthy chat are there for their handlers."""
    took: list[float] = []

    async def one(number: int) -> None:
        reference = _reference(server, first + number)
        started = time.perf_counter()
        _take_in(services, reference, "group:1")
        await asyncio.sleep(0)
        await services.pipeline.resolve(reference)
        took.append(time.perf_counter() - started)

    tasks: list[asyncio.Task[None]] = []
    for number in range(images):
        tasks.append(asyncio.create_task(one(number)))
        await asyncio.sleep(0.02)
    await asyncio.gather(*tasks)
    return sorted(took)[int(len(took) * 0.95)]


async def _dripping(folder: Path, images: int, slack: float) -> Line:
    """A member sends links that promise 32 MB each and give a byte now and then."""
    async with _host() as server, _bot(folder) as services:
        await _p95(services, server, 2 * _A_ROUND, 20)  # warm
        alone = await _best_p95(services, server, 0, images)
        for number in range(_DRIPPING):
            bad = _reference(server, 100_000 + number, path="/drip")
            _take_in(services, bad, "group:666")
        await asyncio.sleep(0.5)
        beside = await _best_p95(services, server, _A_ROUND, images)
    return _compared(f"{_DRIPPING} links that drip, of one chat", images, alone, beside, slack)


async def _sick_bot(folder: Path, images: int, slack: float) -> Line:
    """One bot's implementation never answers, and pictures go on coming."""
    async with _host() as server, _bot(folder, _Hanging) as services:
        await _p95(services, server, 2 * _A_ROUND, 20)
        alone = await _best_p95(services, server, 0, images)
        for number in range(500):
            sick = _reference(server, 200_000 + number, bot="sick", path="/drip")
            _take_in(services, sick, f"group:{number % 20}")
        await asyncio.sleep(0.5)
        beside = await _best_p95(services, server, _A_ROUND, images)
    return _compared(
        "a bot with 500 images whose implementation hangs", images, alone, beside, slack
    )


def _compared(what: str, images: int, alone: float, beside: float, slack: float) -> Line:
    return Line(
        _PROMISE,
        f"{what}; {images} images of a healthy chat meanwhile",
        f"95 % of them within {beside * 1000:.0f} ms, {alone * 1000:.0f} ms when alone",
        beside <= 2 * alone + slack,
    )


async def _flood(folder: Path, images: int) -> Line:
    """Thousands of pictures within a moment."""
    async with _host() as server, _bot(folder) as services:
        with logged("WARNING") as lines:
            for number in range(images):
                reference = _reference(server, number, path=f"/{number % (3 * _A_ROUND)}")
                _take_in(services, reference, f"group:{number % 7}")
            deadline = time.monotonic() + 120
            counted: dict[str, int] = {}
            while time.monotonic() < deadline:
                counted = await services.store.catalog.counters("resolved")
                if sum(counted.values()) >= images:
                    break
                await asyncio.sleep(0.2)
        delayed = sum((await services.store.catalog.counters("delayed")).values())
    fetched = sum(counted.values())
    return Line(
        _PROMISE,
        f"{images:,} images within a moment",
        f"{fetched:,} fetched, {delayed:,} of them had to wait, {len(lines)} lines logged",
        fetched == images and len(lines) <= 3,
    )
