"""A busy bot's day: 100,000 messages, 20,000 of them with a picture, 60 % of these seen before.

A tenth of it is replayed at a time, as fast as it goes, and counted tenfold. The reference is a
bot without the plugin, whose handler asks ``get_image`` for each picture, and saves it to a file
named by its MD5. Written is what the process hands to the system to be written, sockets included.
"""

import asyncio
import hashlib
import itertools
import random
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
from nonebot import on_message
from nonebot.adapters.onebot.v11 import Adapter, Bot, MessageEvent
from nonebot.matcher import matchers
from nonebot.message import _event_preprocessors as preprocessors

from .in_process import AnsweringBot, message, running_bot
from .measure import Cost, compare, cpu, side_by_side, stopwatch
from .pictures import Numbered
from .table import Result, at_most

_PART = 10
"""The share of a day that is replayed: one of so many."""
_MESSAGES = 100_000 // _PART
_PICTURES = 20_000 // _PART
_DISTINCT = _PICTURES * 2 // 5
_SIZE = 120_000
_AT_ONCE = 20
"""Messages handled before others get their turn."""
_ROUNDS = 2
_MAX_SECONDS = 60.0


async def measure() -> list[Result]:
    """Row 19."""
    with tempfile.TemporaryDirectory() as folder:
        async with running_bot() as bot:
            day = _Day(bot, Path(folder))
            costs = await side_by_side(
                {"ours": day.ours, "by hand": day.by_hand}, _ROUNDS, warm_up=0
            )
    against = "each picture saved to a file named by its MD5"
    seconds = compare(cpu(costs["ours"]), cpu(costs["by hand"])) * _PART
    written = compare(day.written["ours"], day.written["by hand"]) * (_PART / 1e6)
    what = "a busy bot's day"
    return [
        at_most(19, f"{what}: CPU", "s", against, seconds, 1.5),
        at_most(19, f"{what}: bytes written", "MB", against, written, 0.5),
    ]


class _Day:
    """Replays a part of a day, with new pictures each time."""

    def __init__(self, bot: AnsweringBot, folder: Path) -> None:
        self.written: dict[str, list[float]] = {"ours": [], "by hand": []}
        self._bot = bot
        self._folder = folder
        self._ids = itertools.count(1)
        self._first = 0
        self._saved = 0
        self._hooks = set(preprocessors)
        bot.answer = self._answer

        async def save(bot: Bot, event: MessageEvent) -> None:
            for segment in event.message["image"]:
                answer = await bot.get_image(file=segment.data["file"])
                data = await anyio.Path(answer["file"]).read_bytes()
                name = hashlib.md5(data, usedforsecurity=False).hexdigest()
                await anyio.Path(folder, "saved", name).write_bytes(data)
                self._saved += 1

        matchers.clear()
        self._saves = on_message()
        self._saves.append_handler(save)
        (folder / "saved").mkdir()

    async def ours(self) -> Cost:
        """With the plugin, and no handler."""
        from nonebot_plugin_qqimage.bot.lifespan import get_services

        store = get_services().store
        before = (await store.totals()).images

        async def done() -> bool:
            return (await store.totals()).images >= before + _DISTINCT

        return await self._replay("ours", done)

    async def by_hand(self) -> Cost:
        """Without the plugin."""
        before = self._saved

        async def done() -> bool:
            return self._saved >= before + _PICTURES

        return await self._replay("by hand", done)

    async def _replay(self, side: str, done: Callable[[], Awaitable[bool]]) -> Cost:
        preprocessors.clear()
        preprocessors.update(self._hooks if side == "ours" else ())
        matchers.clear()
        if side == "by hand":
            matchers[self._saves.priority].append(self._saves)
        frames = self._frames()
        before = _written()
        with stopwatch() as cost:
            for number, frame in enumerate(frames):
                event = Adapter.json_to_event(frame)
                assert isinstance(event, MessageEvent)
                await self._bot.handle_event(event)
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)
            with anyio.fail_after(_MAX_SECONDS):
                while not await done():
                    await asyncio.sleep(0.1)
        self.written[side].append(_written() - before)
        return cost

    def _frames(self) -> list[dict[str, Any]]:
        """The messages; their pictures lie where ``get_image`` says."""
        new = [Numbered(self._first + number, _SIZE) for number in range(_DISTINCT)]
        self._first += _DISTINCT
        for picture in new:
            (self._folder / picture.name).write_bytes(picture.data)
        dice = random.Random(self._first)
        pictures = [*new, *dice.choices(new, k=_PICTURES - _DISTINCT)]
        with_pictures = [
            message(next(self._ids), picture, f"https://images.example/{picture.number}")
            for picture in pictures
        ]
        texts = [
            message(next(self._ids), new[0], "") | {"message": "just some words"}
            for _ in range(_MESSAGES - _PICTURES)
        ]
        frames = with_pictures + texts
        dice.shuffle(frames)
        return frames

    async def _answer(self, api: str, data: dict[str, Any]) -> Any:
        if api != "get_image":
            return None
        return {"file": str(self._folder / data["file"]), "file_size": str(_SIZE)}


def _written() -> int:
    """Bytes that this process has written so far, as Linux counts them."""
    line = next(
        line for line in Path("/proc/self/io").read_text().splitlines() if line.startswith("wchar")
    )
    return int(line.partition(":")[2])
