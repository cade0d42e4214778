"""A host of its own process that puts pictures, and says so of each; it is killed now and then.

Usage: python -m tests.shared.writer FOLDER URL FIRST COUNT PAUSE
"""

import asyncio
import sys
from pathlib import Path

from nonebot_plugin_qqimage.messages.sighting import Sighting

from ..store.pictures import Picture
from .hosts import Hosts


async def main(folder: Path, url: str, first: int, count: int, pause: float) -> None:
    hosts = Hosts(folder.parent, url)
    store = hosts.store(folder.name)
    hosts.run(store)
    for number in range(first, first + count):
        picture = Picture(number, filler=5_000)
        store.saw(Sighting(picture.reference, "group:1", "u", 1.0, picture.info.sha256))
        await store.put(picture.reference, picture.info, picture.data, "test")
        print(number, flush=True)
        await asyncio.sleep(pause)
    assert store.tier is not None
    for _ in range(60):
        await store.sightings(limit=1)
        if await store.tier.sent(2) and not await store.catalog.outbox():
            print("sent", flush=True)
            break
        await asyncio.sleep(0.2)
    await hosts.close()


if __name__ == "__main__":
    from nonebot.log import logger

    logger.remove()
    where, database, begin, many, paused = sys.argv[1:]
    asyncio.run(main(Path(where), database, int(begin), int(many), float(paused)))
