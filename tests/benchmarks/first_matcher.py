"""The time until the first matcher answers: our plugin against one empty event preprocessor.

Two real bots, asked in turn; ``get_image`` takes 10 seconds at both.
"""

import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from nonebot_plugin_qqimage.demo.bot_process import BotProcess
from nonebot_plugin_qqimage.demo.cdn import SimulatedCdn
from nonebot_plugin_qqimage.demo.peer import SimulatedPeer
from nonebot_plugin_qqimage.demo.pictures import png
from nonebot_plugin_qqimage.demo.transports import ReverseWebSocket

PAIRS = 200
BOT = """
import nonebot
from nonebot import on_message
from nonebot.adapters.onebot.v11 import Adapter, MessageEvent
from nonebot.matcher import Matcher
from nonebot.message import event_preprocessor

nonebot.init()
nonebot.get_driver().register_adapter(Adapter)
{plugin}

@on_message().handle()
async def _(matcher: Matcher) -> None:
    await matcher.send("pong")


nonebot.run()
"""
EMPTY = """
@event_preprocessor
async def _(event: MessageEvent) -> None:
    pass
"""
OURS = 'nonebot.load_plugin("nonebot_plugin_qqimage")\n'


class _Bot(BotProcess):
    def __init__(self, folder: Path, plugin: str) -> None:
        super().__init__(folder, {"LOG_LEVEL": "INFO"})
        self._plugin = plugin

    def _write_project(self) -> None:
        super()._write_project()
        (self.folder / "bot.py").write_text(BOT.format(plugin=self._plugin))


async def measure() -> str:
    """One line: both medians and their ratio."""
    times: dict[str, list[float]] = {EMPTY: [], OURS: []}
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            cdn = await stack.enter_async_context(SimulatedCdn())
            peers: dict[str, SimulatedPeer] = {}
            for number, plugin in enumerate(times):
                bot = await stack.enter_async_context(_Bot(Path(folder) / str(number), plugin))
                peer = peers[plugin] = SimulatedPeer("napcat", cdn)
                peer.behaviour.delays["get_image"] = 10.0
                await stack.enter_async_context(ReverseWebSocket(peer, bot.ws_url))
                await peer.connected(1, 30)
            for seed in range(PAIRS):
                for plugin, peer in peers.items():
                    picture = peer.picture(png(32, 32, seed))
                    started = time.perf_counter()
                    await peer.send_group(picture)
                    await peer.next_sent(30)
                    times[plugin].append(time.perf_counter() - started)
    empty, ours = (statistics.median(times[plugin][10:]) * 1000 for plugin in (EMPTY, OURS))
    return (
        f"first matcher, get_image takes 10 s: ours {ours:.2f} ms, "
        f"empty preprocessor {empty:.2f} ms, ratio {ours / empty:.3f}"
    )
