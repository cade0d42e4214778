"""A pooler that lends one connection of the server to many is named as soon as a bot starts."""

from collections.abc import AsyncGenerator

import pytest

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.doctor.store.shared import about_shared

from ..store.pictures import Picture
from .hosts import Hosts
from .pooler import Pooler
from .proxy import Proxy
from .server import Server


@pytest.fixture(params=[1, 2, 20])
async def pooler(server: Server, request: pytest.FixtureRequest) -> AsyncGenerator[Pooler, None]:
    made = Pooler(server.port, request.param)
    await made.start()
    yield made
    await made.close()


async def test_doctor_names_cause_and_cure(hosts: Hosts, pooler: Pooler) -> None:
    config = ScopedConfig(shared_store=hosts.through(pooler.port))
    (line,) = await about_shared(config, None)
    assert line.state == "failed"
    assert "pool_mode = session" in str(line.text)
    assert "start the database" not in str(line.cure)


async def test_the_bot_says_so_when_it_starts_and_goes_on_alone(
    hosts: Hosts, pooler: Pooler, picture: Picture
) -> None:
    store = hosts.store("one", url=hosts.through(pooler.port))
    assert store.tier is not None
    await store.tier.synchronise()
    assert "pool_mode = session" in str(store.tier.breaker.trouble)
    await store.put(picture.reference, picture.info, picture.data, "test")
    assert await store.find(picture.reference) == picture.info


async def test_what_keeps_connections_apart_is_no_such_pooler(hosts: Hosts, proxy: Proxy) -> None:
    config = ScopedConfig(shared_store=hosts.through(proxy.port))
    lines = await about_shared(config, None)
    assert {line.state for line in lines} == {"ok"}
