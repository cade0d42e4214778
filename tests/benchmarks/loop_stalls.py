"""The longest block of the event loop by our code while 10 MB pictures arrive, or are sent.

The bot's answers come from this process, so that NoneBot's own parsing of them is not counted.
"""

import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pybase64
from nonebot.adapters.onebot.v11 import Adapter, Message, MessageSegment

from .in_process import AnsweringBot, message, running_bot
from .measure import Cost, side_by_side
from .picture_server import image_host
from .pictures import Numbered
from .table import Result, within

_SIZE = 10 * 1024 * 1024
_ROUNDS = 15
_TICK = 0.0005
_IDLE = 0.3
"""Seconds for which the loop is watched with nothing to do."""

Describe = Callable[[Numbered], Awaitable[dict[str, Any]]]
"""What the implementation answers about a picture."""


async def measure() -> list[Result]:
    """Row 11."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bot = await stack.enter_async_context(running_bot())
        host = await stack.enter_async_context(image_host())

        async def file(picture: Numbered) -> dict[str, Any]:
            path = folder / picture.name
            path.write_bytes(picture.data)
            return {"file": str(path)}

        async def base64(picture: Numbered) -> dict[str, Any]:
            return {"base64": pybase64.b64encode_as_string(picture.data)}

        async def url(picture: Numbered) -> dict[str, Any]:
            return {"url": host.url(picture)}

        numbers = itertools.count(1)
        ways: dict[str, Describe] = {"file": file, "base64": base64, "URL": url}
        sides = {
            way: lambda describe=describe: _arrives(bot, next(numbers), describe)
            for way, describe in ways.items()
        }
        sending = {
            "in a CQ string": lambda: _is_sent(bot, next(numbers), as_text=True),
            "in a segment": lambda: _is_sent(bot, next(numbers), as_text=False),
        }
        costs = await side_by_side({**sides, **sending, "idle": _idle}, _ROUNDS)
    longest = {name: [cost.seconds * 1000 for cost in each] for name, each in costs.items()}
    return [
        within(
            11,
            f"longest block of the loop while a picture of 10 MB {what} {way}",
            "ms",
            statistics.median(longest[way]),
            5,
            reference=statistics.median(longest["idle"]),
            against="an idle loop",
            note=f"at worst {max(longest[way]):.1f} ms",
        )
        for what, way in (
            *(("arrives by", way) for way in ways),
            *(("is sent", way) for way in sending),
        )
    ]


async def _arrives(bot: AnsweringBot, number: int, describe: Describe) -> Cost:
    """The longest block while a picture arrives and a plugin reads it."""
    from nonebot_plugin_qqimage import get_resolver  # NoneBot has loaded it by now

    picture = Numbered(number, _SIZE)
    answer = await describe(picture)

    async def tell(api: str, data: dict[str, Any]) -> dict[str, Any]:
        return answer

    bot.answer = tell
    event = Adapter.json_to_event(message(number, picture, "https://images.example/"))
    assert event is not None

    async def handle() -> None:
        await bot.handle_event(event)
        (image,) = await get_resolver().images(event)
        assert len(await image.read()) == _SIZE

    return await watched(handle())


async def _is_sent(bot: AnsweringBot, number: int, *, as_text: bool) -> Cost:
    """The longest block while a plugin sends a picture as base64."""
    encoded = pybase64.b64encode_as_string(Numbered(number, _SIZE).data)
    segment = MessageSegment.image(f"base64://{encoded}")

    async def tell(api: str, data: dict[str, Any]) -> dict[str, Any]:
        return {"message_id": number}

    bot.answer = tell
    code = f"look [CQ:image,file=base64://{encoded}]"
    content: Any = code if as_text else Message(segment)

    async def send() -> None:
        await bot.call_with_hooks("send_group_msg", group_id=20001, message=content)
        await asyncio.sleep(_IDLE)  # until it is decoded and kept

    return await watched(send())


async def _idle() -> Cost:
    return await watched(asyncio.sleep(_IDLE))


async def watched(work: Awaitable[object]) -> Cost:
    """How late the loop was at most, while some work went on."""
    late = 0.0

    async def tick() -> None:
        nonlocal late
        while True:
            started = time.perf_counter()
            await asyncio.sleep(_TICK)
            late = max(late, time.perf_counter() - started - _TICK)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(10 * _TICK)
    await work
    await asyncio.sleep(10 * _TICK)
    ticking.cancel()
    return Cost(seconds=late)
