from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation

MakeImplementation = Callable[..., SimulatedImplementation]


@pytest.fixture
async def cdn() -> AsyncIterator[SimulatedCdn]:
    async with SimulatedCdn() as cdn:
        yield cdn


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def make_implementation(cdn: SimulatedCdn, tmp_path: Path) -> MakeImplementation:
    def make(flavour: str = "luckylilliabot-8", **options: object) -> SimulatedImplementation:
        return SimulatedImplementation(flavour, cdn, **{"file_dir": tmp_path, **options})

    return make
