"""The end of a bot: nothing of ours keeps it, and a second signal leaves no traceback."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from nonebot_plugin_qqimage.demo.bot_process import BotProcess


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("pause", [0.0, 0.005])
async def test_two_signals_as_nb_run_sends_them(
    tmp_path: Path, second: signal.Signals, pause: float
) -> None:
    settings = {"DRIVER": "~httpx+~websockets", "QQIMAGE__REWRITE_URL": True}
    async with BotProcess(tmp_path / "bot", settings) as bot:
        await asyncio.sleep(0.5)
        assert bot._process is not None
        for each in (signal.SIGINT, second):
            bot._process.send_signal(each)
            await asyncio.sleep(pause)
        await asyncio.wait_for(bot._process.wait(), 20)
    # Python's own, where the second one comes as it ends, names no file of ours
    assert "nonebot_plugin_qqimage" not in bot.log.partition("Traceback")[2]
