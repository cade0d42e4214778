"""The database is silent, refuses, or is slow: how long handlers wait, and what is lost."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..store.pictures import Picture
from .hosts import Hosts, until
from .line import Line
from .proxy import Proxy
from .server import Server

_SLOW = 0.2
_LONGEST = 2.0 + 1.0
"""The deadline, and what a busy machine adds."""


async def outages(folder: Path, server: Server, *, seconds: float) -> list[Line]:
    return [
        await _outage(folder / how, server, how, seconds) for how in ("silent", "refused", "slow")
    ]


async def _outage(folder: Path, server: Server, how: str, seconds: float) -> Line:
    url, proxy = server.database(), Proxy(server.port)
    await proxy.start()
    hosts = Hosts(folder, url)
    try:
        through = f"postgresql://postgres@127.0.0.1:{proxy.port}/{url.rpartition('/')[2]}"
        store, other = await hosts.start("one", url=through), await hosts.start("other")
        if how == "silent":
            proxy.be_silent()
        elif how == "refused":
            await proxy.refuse()
        else:
            proxy.delay = _SLOW
        waits = await _handle(store, seconds)
        proxy.forward()
        proxy.delay = 0.0
        if how == "refused":
            await proxy.start()
        begun = time.monotonic()
        assert store.tier is not None
        tier = store.tier
        await until(lambda: tier.breaker.closed, 30)
        while not await tier.sent(1) or await store.catalog.outbox():
            assert time.monotonic() - begun < 30
        drained = time.monotonic() - begun
        seen = len(await other.sightings(chat="group:1", limit=1_000_000))
        lost = len(waits) - seen
        for number in range(0, len(waits), 7):
            lost += await other.find(replace(_reference(number), self_id="2")) is None
        figures = (
            f"{len(waits)} events, longest wait {max(waits):.2f} s, {lost} lost, sent "
            f"{drained:.1f} s after its end"
        )
        held = max(waits) < _LONGEST and not lost
        return Line(f"{how} database", figures, held)
    finally:
        await hosts.close()
        proxy.forward()
        await proxy.refuse()


def _reference(number: int):
    return Picture(number).reference


async def _handle(store: ImageStore, seconds: float) -> list[float]:
    """Let events come, eight at a time; how long each waited for us."""
    waits: list[float] = []
    until_ = time.monotonic() + seconds

    async def one(number: int) -> None:
        picture = Picture(number)
        store.saw(Sighting(picture.reference, "group:1", "u", 1.0, picture.info.sha256))
        begun = time.monotonic()
        if await store.find(picture.reference) is None:
            async with store.shared_images.turn(picture.reference, begun) as come:
                waits.append(time.monotonic() - begun)
                if come is None:
                    await store.put(picture.reference, picture.info, picture.data, "test")
        else:
            waits.append(time.monotonic() - begun)

    number = 0
    while time.monotonic() < until_:
        await asyncio.gather(*(one(number + each) for each in range(8)))
        number += 8
        await asyncio.sleep(0.05)
    await store.sightings(limit=1)  # written down
    return waits
