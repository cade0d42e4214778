"""What one event costs: our plugin against one empty event preprocessor, in this process.

From the implementation's JSON, parsed, to the end of NoneBot's handling, without any matcher; and
all that is done about it in the background, in whichever thread.
"""

import asyncio
import itertools
import statistics
from collections.abc import Iterable
from typing import Any

from nonebot.adapters.onebot.v11 import Adapter, MessageEvent
from nonebot.dependencies import Dependent
from nonebot.message import _event_preprocessors as preprocessors
from nonebot.message import event_preprocessor

from .in_process import AnsweringBot, keep, message, running_bot
from .measure import Comparison, Cost, compare, cpu, side_by_side, stopwatch
from .pictures import Numbered
from .table import Result, at_most

_ROUNDS = 10
_EVENTS = 300
_KNOWN = 24
_TURNS = 16
"""As many as the settings allow at once."""
_SIZE = 4096
_SETTLE = 0.35
"""Seconds for what is done in the background, some moments behind."""

Hooks = set[Dependent[Any]]


async def measure() -> list[Result]:
    """Rows 1 and 2."""
    async with running_bot() as bot:
        run = _Run(bot)
        known = [Numbered(number, _SIZE) for number in range(_KNOWN)]
        for picture in known:
            await keep(picture)
        again = itertools.cycle(known)
        first = await side_by_side(
            {"ours": lambda: run(run.ours, again), "empty": lambda: run(run.empty, again)}, _ROUNDS
        )
        new = (Numbered(number, _SIZE) for number in itertools.count(_KNOWN))
        asked = await side_by_side({"ours": lambda: run(run.ours, new, _TURNS)}, _ROUNDS)
        # row 2 ends where a fetch begins: those of these take every turn
        await run(run.ours, new, _TURNS, cancel=False)
        second = await side_by_side(
            {"ours": lambda: run(run.ours, new), "empty": lambda: run(run.empty, new)}, _ROUNDS
        )
    asking = statistics.median(cpu(asked["ours"])) / _TURNS * 1e6
    return [
        at_most(row, what, "µs", "one empty event preprocessor", _each(costs), limit, note)
        for row, what, costs, limit, note in (
            (1, "CPU of one event with one known picture", first, 1.4, ""),
            (
                2,
                "CPU of one event with one unknown picture",
                second,
                1.7,
                f"until its fetch begins; {asking:.0f} µs until `get_image` is asked",
            ),
        )
    ]


def _each(costs: dict[str, list[Cost]]) -> Comparison:
    return compare(cpu(costs["ours"]), cpu(costs["empty"])) * (1e6 / _EVENTS)


class _Run:
    """Lets the bot handle events, with our hooks or with the empty one."""

    def __init__(self, bot: AnsweringBot) -> None:
        self.ours: Hooks = set(preprocessors)
        self.empty = _empty()
        self._bot = bot
        self._ids = itertools.count(1)
        bot.answer = _silence

    async def __call__(
        self,
        hooks: Hooks,
        pictures: Iterable[Numbered],
        count: int = _EVENTS,
        *,
        cancel: bool = True,
    ) -> Cost:
        frames = [
            message(next(self._ids), picture, f"https://images.example/{picture.number}")
            for picture in itertools.islice(pictures, count)
        ]
        preprocessors.clear()
        preprocessors.update(hooks)
        before = asyncio.all_tasks()
        with stopwatch() as cost:
            for frame in frames:
                event = Adapter.json_to_event(frame)
                assert isinstance(event, MessageEvent)
                await self._bot.handle_event(event)
            await asyncio.sleep(_SETTLE)
        under_way = asyncio.all_tasks() - before
        if cancel:
            _drop_what_waits()
            for task in under_way:
                task.cancel()
        await asyncio.sleep(0)
        return cost


def _empty() -> Hooks:
    before = set(preprocessors)

    @event_preprocessor
    async def _(event: MessageEvent) -> None:
        pass

    return preprocessors - before


def _drop_what_waits() -> None:
    # not above, for NoneBot must load the plugin before anybody imports it
    from nonebot_plugin_qqimage.bot.lifespan import get_services

    get_services().pipeline._prefetches.clear()


async def _silence(api: str, data: dict[str, Any]) -> None:
    await asyncio.Event().wait()
