"""The time until the first matcher answers: our plugin against one empty event preprocessor.

Two real bots, asked in turn; ``get_image`` takes a second at both.
"""

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from nonebot_plugin_qqimage.demo.bot_process import BotProcess
from nonebot_plugin_qqimage.demo.cdn import SimulatedCdn
from nonebot_plugin_qqimage.demo.peer import SimulatedPeer
from nonebot_plugin_qqimage.demo.pictures import png
from nonebot_plugin_qqimage.demo.transports import ReverseWebSocket

from .measure import Cost, compare, seconds, side_by_side
from .table import Result, at_most

PAIRS = 30  # done before the first answer comes, whose picture would have to be fetched
ROUNDS = 5  # of so many pairs
_SETTLE = 2.0
"""Seconds from one of them to the next: everything has been fetched by then."""
BOT = """
import time
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
    await matcher.send(str(time.time()))


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


async def measure() -> list[Result]:
    """Row 3."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cdn = await stack.enter_async_context(SimulatedCdn())

        async def chat(name: str, plugin: str) -> SimulatedPeer:
            bot = await stack.enter_async_context(_Bot(folder / name, plugin))
            peer = SimulatedPeer("napcat", cdn)
            peer.behaviour.delays["get_image"] = 1.0
            await stack.enter_async_context(ReverseWebSocket(peer, bot.ws_url))
            await peer.connected(1, 30)
            return peer

        ours, empty = await chat("ours", OURS), await chat("empty", EMPTY)
        sides = {"ours": lambda: _answered(ours), "empty": lambda: _answered(empty)}
        costs: dict[str, list[Cost]] = {name: [] for name in sides}
        for _ in range(ROUNDS):
            for name, some in (await side_by_side(sides, PAIRS, warm_up=5)).items():
                costs[name] += some
            await asyncio.sleep(_SETTLE)
    return [
        at_most(
            3,
            "time to the first matcher while `get_image` takes 1 s",
            "ms",
            "one empty event preprocessor",
            compare(seconds(costs["ours"]), seconds(costs["empty"])) * 1000,
            1.02,
        )
    ]


async def _answered(peer: SimulatedPeer) -> Cost:
    """How long after it was sent a message reaches the first matcher, which says when it did."""
    picture = peer.picture(png(32, 32, len(peer.calls)))
    sent = time.time()
    await peer.send_group(picture)
    reached = float((await peer.next_sent(30)).text)
    await asyncio.sleep(0.006)  # what either does afterwards is not the other's burden
    return Cost(reached - sent, 0.0)
