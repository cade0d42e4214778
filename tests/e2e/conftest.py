"""Bots and implementations that the tests of this folder share."""

from collections.abc import AsyncIterator, Iterator

import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation

from .bots import (
    COMMON_PLUGINS,
    COMMON_SETTINGS,
    SharedBot,
    Simulate,
    accounts,
    connected,
    started,
    watched,
)
from .stages import NEW, UPGRADED, Stage, staged


@pytest.fixture(scope="session")
async def common_process(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SharedBot]:
    folder = tmp_path_factory.mktemp("common") / "bot"
    async with started(folder, *COMMON_PLUGINS, settings=COMMON_SETTINGS) as bot:
        yield bot


@pytest.fixture
def common(common_process: SharedBot) -> Iterator[SharedBot]:
    """The bot of all cases that need no settings of their own."""
    yield from watched(common_process)


@pytest.fixture
async def cdn() -> AsyncIterator[SimulatedCdn]:
    async with SimulatedCdn() as cdn:
        yield cdn


@pytest.fixture
def simulate(cdn: SimulatedCdn) -> Simulate:
    """Makes implementations, each with an account of its own, in front of one image host."""
    return lambda flavour, **options: SimulatedImplementation(
        flavour, cdn, **{"self_id": next(accounts), **options}
    )


@pytest.fixture(scope="module", params=[NEW, UPGRADED])
async def stage_process(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("stage") / "bot", request.param) as stage:
        yield stage


@pytest.fixture
def stage(stage_process: Stage) -> Iterator[Stage]:
    """A bot on a new store, then one on a store of 0.1.0; each for all cases of a file."""
    for _ in watched(stage_process.bot):
        yield stage_process


@pytest.fixture
async def implementation(
    stage: Stage, simulate: Simulate
) -> AsyncIterator[SimulatedImplementation]:
    """NapCat, connected to that bot."""
    async with connected(simulate("napcat"), stage.bot) as implementation:
        yield implementation
