"""The environment of the published plugins, and with each trouble a chat without us and with us."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .chat import Chat, Trouble, chatting
from .environment import build


@pytest.fixture(scope="session")
def python(pytestconfig: pytest.Config) -> Path:
    if os.environ.get("QQIMAGE_TEST_PUBLISHED") != "1":
        pytest.skip("installs published plugins; QQIMAGE_TEST_PUBLISHED=1 runs it")
    assert pytestconfig.cache, "without pytest's cache there is no place to keep it"
    return build(pytestconfig.cache.mkdir("qqimage"))


@pytest.fixture(scope="module", params=["expired links", "refused TLS"])
def trouble(request: pytest.FixtureRequest) -> Trouble:
    return request.param


@pytest.fixture(scope="module")
async def without_us(
    python: Path, trouble: Trouble, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Chat]:
    folder = tmp_path_factory.mktemp("without-us")
    async with chatting(python, folder, trouble, with_us=False) as chat:
        yield chat


@pytest.fixture(scope="module")
async def with_us(
    python: Path, trouble: Trouble, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Chat]:
    folder = tmp_path_factory.mktemp("with-us")
    async with chatting(python, folder, trouble, with_us=True) as chat:
        yield chat
