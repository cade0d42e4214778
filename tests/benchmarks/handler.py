"""From an event to the bytes in a handler: ours against the shortest handler by hand.

``get_image`` answers after 5 ms with a file of 120 KB, as an implementation on the same machine
does. By hand, the handler calls ``get_image`` and reads the file in a thread; ours injects
`Images` and reads the first. Each picture is new, so ours inspects and keeps it, too.
"""

import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
from nonebot import on_message
from nonebot.adapters.onebot.v11 import Adapter, Bot, MessageEvent
from nonebot.matcher import Matcher, matchers
from nonebot.message import _event_preprocessors as preprocessors

from .in_process import AnsweringBot, message, running_bot
from .measure import Comparison, Cost, compare, seconds, side_by_side
from .pictures import Numbered
from .table import Result, at_most

_ROUNDS = 12
_EVENTS = 10
"""Of which each round takes the median, for a busy machine delays some."""
_SIZE = 120_000
_ANSWER_SECONDS = 0.005
_SETTLE = 0.05
"""Seconds between two events, for what is done about the last one in the background."""


async def measure() -> list[Result]:
    """Row 15."""
    async with running_bot() as bot:
        with tempfile.TemporaryDirectory() as folder:
            run = _Run(bot, Path(folder))
            sides = {"ours": run.ours, "by hand": run.by_hand}
            costs = await side_by_side(sides, _ROUNDS)
            known = await side_by_side({"ours": run.known, "by hand": run.by_hand}, _ROUNDS)
    return [
        at_most(15, what, "ms", "`get_image` and a read in a thread", _each(found), limit)
        for what, found, limit in (
            ("from an event to the bytes in a handler, new picture of 120 KB", costs, 1.3),
            ("from an event to the bytes in a handler, known picture", known, 1.3),
        )
    ]


def _each(costs: dict[str, list[Cost]]) -> Comparison:
    return compare(seconds(costs["ours"]), seconds(costs["by hand"])) * 1000


class _Run:
    """Lets a bot with our plugin, or with nothing but a handler, get pictures."""

    def __init__(self, bot: AnsweringBot, folder: Path) -> None:
        from nonebot_plugin_qqimage import Images  # NoneBot has loaded it by now

        self._bot = bot
        self._folder = folder
        self._numbers = itertools.count(1)
        self._ours = set(preprocessors)
        self._got: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        bot.answer = self._answer

        async def injected(images: Images) -> None:
            self._arrived(await images[0].read())

        async def by_hand(bot: Bot, event: MessageEvent) -> None:
            answer = await bot.get_image(file=event.message[0].data["file"])
            self._arrived(await anyio.Path(answer["file"]).read_bytes())

        matchers.clear()
        self._matchers = {"ours": on_message(), "by hand": on_message()}
        self._matchers["ours"].append_handler(injected)
        self._matchers["by hand"].append_handler(by_hand)

    async def ours(self) -> Cost:
        """New pictures, by our plugin."""
        return await self._run("ours", (Numbered(n, _SIZE) for n in self._numbers))

    async def known(self) -> Cost:
        """A picture that our plugin has stored before, which has just been sent again."""
        return await self._run("ours", itertools.repeat(Numbered(0, _SIZE)))

    async def by_hand(self) -> Cost:
        """New pictures, by a handler of a few lines."""
        return await self._run("by hand", (Numbered(n, _SIZE) for n in self._numbers))

    async def _run(self, side: str, pictures: Iterator[Numbered]) -> Cost:
        preprocessors.clear()
        preprocessors.update(self._ours if side == "ours" else ())
        chosen: type[Matcher] = self._matchers[side]
        matchers.clear()
        matchers[chosen.priority].append(chosen)
        took = [await self._once(picture) for picture in itertools.islice(pictures, _EVENTS)]
        return Cost(seconds=statistics.median(took))

    async def _once(self, picture: Numbered) -> float:
        path = self._folder / picture.name
        if not path.exists():
            path.write_bytes(picture.data)
        frame = message(next(self._numbers), picture, "https://images.example/none")
        self._got = asyncio.get_running_loop().create_future()
        started = time.perf_counter()
        event = Adapter.json_to_event(frame)
        assert isinstance(event, MessageEvent)
        await self._bot.handle_event(event)
        arrived = await self._got
        await asyncio.sleep(_SETTLE)
        return arrived - started

    def _arrived(self, data: bytes) -> None:
        assert len(data) == _SIZE
        self._got.set_result(time.perf_counter())

    async def _answer(self, api: str, data: dict[str, Any]) -> Any:
        if api != "get_image":
            return None
        await asyncio.sleep(_ANSWER_SECONDS)
        return {"file": str(self._folder / data["file"]), "file_size": str(_SIZE)}
