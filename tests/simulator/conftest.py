from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from nonebot_plugin_qqimage.demo.cdn import SimulatedCdn
from nonebot_plugin_qqimage.demo.peer import SimulatedPeer

MakePeer = Callable[..., SimulatedPeer]


@pytest.fixture
async def cdn() -> AsyncIterator[SimulatedCdn]:
    async with SimulatedCdn() as cdn:
        yield cdn


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def make_peer(cdn: SimulatedCdn, tmp_path: Path) -> MakePeer:
    def make(flavour: str = "luckylilliabot-8", **options: object) -> SimulatedPeer:
        return SimulatedPeer(flavour, cdn, **{"file_dir": tmp_path, **options})

    return make
