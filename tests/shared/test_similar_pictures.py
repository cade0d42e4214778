"""Where pictures like one were seen on all hosts, also where the database is far away or silent."""

import time

import pytest

from nonebot_plugin_qqimage import ImageResolver, SimilarImage
from nonebot_plugin_qqimage.bot.services import Services
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.content.inspection import inspect
from nonebot_plugin_qqimage.fetch.fetcher import Fetcher
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.store.image_store import ImageStore

from ..looks.changing import encoded
from ..looks.making import photo
from .hosts import Hosts
from .proxy import Proxy

MATCHES = 10


async def say(store: ImageStore, data: bytes, bot: str, message: int) -> str:
    """Have a picture seen by a host, stored and looked at; its SHA-256."""
    info = inspect(data, max_size=1 << 30, max_pixels=1 << 30)
    reference = ImageReference(
        self_id=bot, message_id=f"{message}", file=f"{info.md5}.jpg", chat="group:1"
    )
    store.saw(Sighting(reference, "group:1", "u", 1.0, info.sha256))
    await store.put(reference, info, data, "test")
    await store.looks.make(info)
    return info.sha256


@pytest.fixture
async def far(hosts: Hosts, proxy: Proxy) -> ImageStore:
    """A host that has stored the same picture many times, as another one has."""
    near = await hosts.start("near")
    far = await hosts.start("far", url=hosts.through(proxy.port))
    for store, bot in ((near, "1"), (far, "2")):
        for number in range(MATCHES + 1):
            data = encoded(photo(1), "JPEG", quality=80 + number)
            await say(store, data, bot, number)
        await store.sightings(limit=1)
        assert store.tier is not None
        assert await store.tier.sent(5)
    return far


async def similar(store: ImageStore) -> tuple[float, list[SimilarImage]]:
    """What is found, and in how many seconds."""
    config = ScopedConfig()
    resolver: ImageResolver = Services.of(config, store, Fetcher(config), dict).resolver
    data = encoded(photo(1), "JPEG", quality=80)
    uri = inspect(data, max_size=1 << 30, max_pixels=1 << 30).uri
    begun = time.monotonic()
    found = await resolver.similar(uri, chat="group:1", limit=MATCHES + 1)
    return time.monotonic() - begun, found


def bots(found: list[SimilarImage]) -> list[set[str]]:
    return [{each.reference.self_id for each in match.sightings} for match in found]


async def test_a_database_far_away_is_asked_once(far: ImageStore, proxy: Proxy) -> None:
    at_once, _ = await similar(far)
    proxy.delay = 0.1  # each way
    took, found = await similar(far)
    assert bots(found) == [{"1", "2"}] * (MATCHES + 1)
    assert took - at_once < 1.5  # and not some seconds


async def test_a_silent_database_is_waited_for_once(far: ImageStore, proxy: Proxy) -> None:
    at_once, _ = await similar(far)
    proxy.be_silent()
    took, found = await similar(far)
    assert bots(found) == [{"2"}] * (MATCHES + 1)
    assert took - at_once < 2.5


async def test_who_asks_for_many_gets_what_each_would(far: ImageStore) -> None:
    digests = sorted({each.sha256 for each in await far.sightings(limit=100)})
    digests.append("0" * 64)
    for chat, limit in (("group:1", 100), ("group:2", 100), (None, 1)):
        together = await far.seen.of(digests, chat=chat, limit=limit, seconds=2)
        assert together == [
            await far.sightings(sha256=each, chat=chat, limit=limit) for each in digests
        ]
