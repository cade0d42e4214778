"""The database is gone, silent or slow: the bot goes on, and nothing is lost."""

import asyncio
import time
from dataclasses import replace

import pytest

from nonebot_plugin_qqimage.messages.sighting import Sighting
from nonebot_plugin_qqimage.store.image_store import ImageStore
from nonebot_plugin_qqimage.store.shared.postgresql.connections import in_words

from ..store.pictures import Picture
from .hosts import Hosts, until
from .proxy import Proxy
from .server import Server


@pytest.fixture
async def cut_off(hosts: Hosts, proxy: Proxy) -> ImageStore:
    """A host whose connections run through the proxy."""
    return await hosts.start("cut off", url=hosts.through(proxy.port))


async def waits(store: ImageStore, numbers: range) -> list[float]:
    """Seconds for which look-ups of unknown pictures last that come at the same time."""

    async def one(number: int) -> float:
        begun = time.monotonic()
        reference = replace(Picture(number).reference, self_id="9")
        assert await store.find(reference) is None
        async with store.shared_images.turn(reference, begun):
            return time.monotonic() - begun

    return await asyncio.gather(*map(one, numbers))


@pytest.mark.parametrize("how", ["silent", "refused", "slow"])
async def test_nobody_waits_longer_than_once_and_everything_is_sent_afterwards(
    hosts: Hosts, cut_off: ImageStore, proxy: Proxy, how: str
) -> None:
    other = await hosts.start("other")
    assert cut_off.tier is not None
    if how == "silent":
        proxy.be_silent()
    elif how == "refused":
        await proxy.refuse()
    else:
        proxy.delay = 0.2

    first = await waits(cut_off, range(500, 520))
    again = await waits(cut_off, range(520, 540))
    begun = time.monotonic()
    for number in range(20):
        picture = Picture(number)
        cut_off.saw(Sighting(picture.reference, "group:1", "u", 1.0, picture.info.sha256))
        await cut_off.put(picture.reference, picture.info, picture.data, "test")
        assert await cut_off.find(picture.reference) == picture.info
    local = time.monotonic() - begun
    seen = await cut_off.sightings(chat="group:1", limit=99)

    assert max(first) < 3
    assert max(again) < (3 if how == "slow" else 0.5)
    assert local < 10
    assert len(seen) == 20
    if how != "slow":
        assert not cut_off.tier.breaker.closed
        assert sum((await cut_off.catalog.outbox()).values()) == 40

    proxy.forward()
    proxy.delay = 0
    if how == "refused":
        await proxy.start()
    await until(lambda: cut_off.tier and cut_off.tier.breaker.closed, 15)
    assert await cut_off.tier.sent(10)
    assert await cut_off.catalog.outbox() == {}
    assert len(await other.sightings(chat="group:1", limit=99)) == 20
    assert await other.find(replace(Picture(3).reference, self_id="2")) == Picture(3).info


async def test_who_has_no_time_left_does_not_blame_the_shared_store(hosts: Hosts) -> None:
    host = await hosts.start("one")
    assert host.tier is not None
    await until(lambda: host.tier and host.tier.breaker.closed, 15)
    assert await host.tier.ask(lambda shared: shared.pins("me"), 0) is None
    assert host.tier.breaker.closed
    assert await host.tier.ask(lambda shared: shared.pins("me"), 2) == []


async def test_what_is_forgotten_meanwhile_is_forgotten_everywhere_afterwards(
    hosts: Hosts, cut_off: ImageStore, proxy: Proxy, picture: Picture
) -> None:
    other = await hosts.start("other")
    other.saw(Sighting(picture.reference, "group:1", "u", 1.0, picture.info.sha256))
    await other.put(picture.reference, picture.info, picture.data, "test")
    await other.sightings(limit=1)
    await proxy.refuse()

    begun = time.monotonic()
    await cut_off.forgetting.forget(chat="group:1")
    assert time.monotonic() - begun < 3
    await proxy.start()
    await until(lambda: cut_off.tier and cut_off.tier.breaker.closed, 15)
    assert cut_off.tier is not None
    assert await cut_off.tier.sent(10)
    await asyncio.sleep(1.5)

    assert await other.find(replace(picture.reference, self_id="2")) is None
    assert await other.sightings(chat="group:1", limit=9) == []


async def test_who_asks_for_pins_waits_no_longer_than_anybody_else(
    cut_off: ImageStore, proxy: Proxy, picture: Picture
) -> None:
    await cut_off.put(picture.reference, picture.info, picture.data, "test")
    await cut_off.pins.add(picture.info.sha256, "me")
    assert cut_off.tier is not None
    assert await cut_off.tier.sent(5)
    proxy.delay = 0.45  # of each question and each answer
    begun = time.monotonic()
    assert await cut_off.pins.of("me") == [picture.info.sha256]
    assert time.monotonic() - begun < 2.4


async def test_one_host_fetches_for_all(hosts: Hosts, picture: Picture) -> None:
    stores = [await hosts.start(f"{number}") for number in range(4)]
    fetched: list[int] = []

    async def resolve(number: int) -> None:
        store = stores[number]
        reference = replace(picture.reference, self_id=f"{number}")
        if await store.find(reference) is None:
            async with store.shared_images.turn(reference, time.monotonic()) as come:
                if come is None:
                    fetched.append(number)
                    await asyncio.sleep(0.3)
                    await store.put(reference, picture.info, picture.data, "test")
        assert await store.find(reference) == picture.info

    await asyncio.gather(*map(resolve, range(4)))
    assert len(fetched) == 1


async def test_who_waits_for_a_host_that_never_comes_fetches_itself(
    hosts: Hosts, picture: Picture
) -> None:
    one, other = await hosts.start("one"), await hosts.start("other")
    begun = time.monotonic()
    async with one.shared_images.turn(picture.reference, begun) as come:
        assert come is None
        async with other.shared_images.turn(
            replace(picture.reference, self_id="2"), time.monotonic()
        ) as come:
            assert come is None
            assert 1.5 < time.monotonic() - begun < 4


async def test_where_the_database_only_reads_nothing_is_left_out(
    hosts: Hosts, server: Server, picture: Picture
) -> None:
    one = await hosts.start("one")
    await hosts.stop(one)
    name = hosts.database.rpartition("/")[2]
    server.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    one.saw(Sighting(picture.reference, "group:1", "u", 1.0, picture.info.sha256))
    await one.put(picture.reference, picture.info, picture.data, "test")
    await one.annotations.put(picture.info.sha256, "me", "a cat")
    hosts.run(one)
    await asyncio.sleep(2)
    assert len(await one.catalog.outbox()) == 3

    server.sql(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    other = await hosts.start("other")
    assert one.tier is not None
    for _ in range(10):
        await until(lambda: one.tier and one.tier.breaker.closed, 15)
        if await one.tier.sent(5):
            break
    assert await one.catalog.outbox() == {}
    assert [each.text for each in await other.annotations.of(picture.info.sha256)] == ["a cat"]


def test_a_pooler_that_mixes_connections_up_is_named() -> None:
    class Missing(Exception):
        sqlstate = "26000"

    assert "pool_mode = session" in str(in_words(Missing("prepared statement does not exist")))


async def test_hosts_that_wait_for_each_other_leave_nothing_out(
    hosts: Hosts, server: Server, picture: Picture
) -> None:
    one, name = await hosts.start("one"), hosts.database.rpartition("/")[2]
    await asyncio.to_thread(  # for the host may be in the middle of something there
        server.sql,
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$;"
        "CREATE TRIGGER wait BEFORE INSERT ON qqimage.sighting EXECUTE FUNCTION wait()",
        name,
    )
    one.saw(Sighting(picture.reference, "group:1", "u", 1.0, picture.info.sha256))
    await one.put(picture.reference, picture.info, picture.data, "test")
    await one.sightings(limit=1)
    await asyncio.sleep(1)
    await asyncio.to_thread(server.sql, "DROP TRIGGER wait ON qqimage.sighting", name)
    assert one.tier is not None
    await until(lambda: one.tier and one.tier.breaker.closed)
    assert await one.tier.sent(5)
    assert server.sql("SELECT count(*) FROM qqimage.sighting", name) == "1"
