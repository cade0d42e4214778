"""A real bot in a process of its own, and simulated implementations around it."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from nonebot_plugin_qqimage.demo.bot_process import BotProcess
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.store.image_store import ImageStore

PLUGINS = Path(__file__).parent / "plugins"
PATIENCE = 30.0
OUR_TRACEBACK = re.compile(r'File ".*nonebot_plugin_qqimage[/\\]')

StartBot = Callable[..., AbstractAsyncContextManager[BotProcess]]


@asynccontextmanager
async def started(
    folder: Path, *plugins: str, settings: dict[str, Any] | None = None
) -> AsyncIterator[BotProcess]:
    """A bot that must neither block its loop nor meet an unexpected error."""
    paths = tuple(PLUGINS / f"{name}.py" for name in ("detect_blocking", "see_all", *plugins))
    bot = BotProcess(folder, settings, paths)
    async with bot:
        yield bot
        assert bot.alive, bot.log
    for trouble in ("BlockingError", "unexpected error", "was never awaited"):
        assert trouble not in bot.log, bot.log
    assert not OUR_TRACEBACK.search(bot.log), bot.log


@pytest.fixture
def start_bot(tmp_path: Path) -> StartBot:
    return lambda *plugins, **options: started(tmp_path / "bot", *plugins, **options)


@pytest.fixture
async def cdn() -> AsyncIterator[SimulatedCdn]:
    async with SimulatedCdn() as cdn:
        yield cdn


async def told(
    implementation: SimulatedImplementation, timeout: float = PATIENCE
) -> dict[str, Any]:
    """What the example plugin says of the next picture."""
    return json.loads((await implementation.next_sent(timeout)).text)


async def stored(bot: BotProcess, count: int) -> None:
    """Wait until that many pictures are in the store."""
    store = ImageStore(bot.store, max_size=1 << 40, max_age=1 << 40)
    try:
        with anyio.fail_after(PATIENCE):
            while (await store.totals()).images < count:
                await anyio.sleep(0.05)
    finally:
        await store.close()
