"""The time until the first matcher answers: our plugin against one empty event preprocessor.

Real bots, asked in turn; ``get_image`` takes a second at each. Two processes of the same bot differ
by some per cent, so every round has new ones, and the reference is the mean of two.
"""

import asyncio
import functools
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from nonebot_plugin_qqimage.demo.bot_process import BotProcess
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import png
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

from .measure import Cost, Side, compare, seconds, side_by_side
from .table import Result, at_most

_ROUNDS = 10
_MESSAGES = 18
"""To each bot a round: all are sent before the first picture comes."""
_WARM_UP = 4
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
    costs: dict[str, list[Cost]] = {"ours": [], "empty": [], "empty again": []}
    async with SimulatedCdn() as cdn:
        for number in range(_ROUNDS):
            names = list(costs)[:: 1 if number % 2 else -1]
            for name, some in (await _round(names, cdn)).items():
                costs[name] += some
    one, other = seconds(costs["empty"]), seconds(costs["empty again"])
    empty = [(first + second) / 2 for first, second in zip(one, other, strict=True)]
    return [
        at_most(
            3,
            "time to the first matcher while `get_image` takes 1 s",
            "ms",
            "one empty event preprocessor",
            compare(seconds(costs["ours"]), empty) * 1000,
            1.05,
            f"two bots with that one differ by {abs(compare(one, other).ratio - 1):.0%}",
        )
    ]


async def _round(names: Sequence[str], cdn: SimulatedCdn) -> dict[str, list[Cost]]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sides: dict[str, Side] = {}
        for name in names:
            bot = _Bot(folder / name, OURS if name == "ours" else EMPTY)
            await stack.enter_async_context(bot)
            implementation = SimulatedImplementation("napcat", cdn)
            implementation.behaviour.delays["get_image"] = 1.0
            await stack.enter_async_context(ReverseWebSocket(implementation, bot.ws_url))
            await implementation.connected(1, 30)
            sides[name] = functools.partial(_answered, implementation)
        return await side_by_side(sides, _MESSAGES, warm_up=_WARM_UP, collect=False)


async def _answered(implementation: SimulatedImplementation) -> Cost:
    """How long after it was sent a message reaches the first matcher, which says when it did."""
    picture = implementation.picture(png(32, 32, len(implementation.calls)))
    sent = time.time()
    await implementation.send_group(picture)
    reached = float((await implementation.next_sent(30)).text)
    await asyncio.sleep(0.006)  # what either does afterwards is not the other's burden
    return Cost(reached - sent, 0.0)
