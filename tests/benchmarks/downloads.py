"""Downloading: 60 messages at once, whose pictures three plugins each want; 60 % are repeats.

The references download themselves: naive plugins with a new client each time, `image_fetch` of
nonebot-plugin-alconna, and the ideal, which is one flight per picture, and a dictionary.
"""

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import nonebot
from nonebot.adapters.onebot.v11 import Adapter, GroupMessageEvent

from .certificate import trusted_certificate
from .in_process import AnsweringBot, message, running_bot
from .measure import Cost, compare, cpu, seconds, side_by_side, stopwatch
from .picture_server import ImageHost, image_host
from .pictures import Numbered
from .table import Result, at_most, times_less, unmeasured, within

_MESSAGES = 60
_DISTINCT = 24
_PLUGINS = 3
_SIZE = 120_000
_DISTANCES = ((20, False), (100, False), (20, True), (100, True))
"""Milliseconds to the image host, and whether over TLS."""
_ROUNDS = 7
_SLOW_ROUNDS = 5
"""For references that take seconds."""

Consume = Callable[[GroupMessageEvent], Awaitable[bytes]]
"""What one plugin does about one event: it gets its picture."""


async def measure() -> list[Result]:
    """Rows 4 to 6."""
    with tempfile.TemporaryDirectory() as folder:
        certificate = trusted_certificate(Path(folder))
        async with running_bot() as bot, image_host(certificate) as host:
            load = _Workload(host)
            bot.answer = load.answer
            fetches: list[int] = []
            against_ideal: list[Result] = []
            for milliseconds, tls in _DISTANCES:

                async def ours(milliseconds: int = milliseconds, tls: bool = tls) -> Cost:
                    before = await host.fetches()
                    cost = await load(_ours(), milliseconds, tls)
                    fetches.append(await host.fetches() - before)
                    return cost

                async with httpx.AsyncClient() as client:

                    async def ideal(milliseconds: int = milliseconds, tls: bool = tls) -> Cost:
                        return await load(_Ideal(client), milliseconds, tls)

                    costs = await side_by_side({"ours": ours, "ideal": ideal}, _ROUNDS)
                where = f"{milliseconds} ms, {'https' if tls else 'http'}"
                compared = compare(seconds(costs["ours"]), seconds(costs["ideal"])) * 1000
                against_ideal.append(
                    at_most(5, f"total time, {where}", "ms", "the ideal", compared, 1.15)
                )
            against_others = await _against_others(bot, load)
    worst = max(fetches, key=lambda count: abs(count - _DISTINCT))
    what = f"fetches for {_MESSAGES} messages × {_PLUGINS} plugins, at most"
    upstream = within(
        4, what, "", worst, _DISTINCT, reference=_DISTINCT, against="distinct pictures"
    )
    return [upstream, *against_ideal, *against_others]


async def _against_others(bot: AnsweringBot, load: "_Workload") -> list[Result]:
    sides = {"ours": _ours(), "a new httpx client each time": _naive}
    fetch = _image_fetch(bot)
    if fetch is not None:
        sides["`image_fetch`"] = fetch
    costs = await side_by_side(
        {name: lambda consume=consume: load(consume, 20, False) for name, consume in sides.items()},
        _SLOW_ROUNDS,
        warm_up=0,
    )
    results: list[Result] = []
    for name in list(sides)[1:]:
        time = compare(seconds(costs["ours"]), seconds(costs[name])) * 1000
        work = compare(cpu(costs["ours"]), cpu(costs[name])) * 1000
        results.append(times_less(6, "total time, 20 ms, http", "ms", name, time, 15))
        results.append(times_less(6, "CPU, 20 ms, http", "ms", name, work, 30))
    if fetch is None:
        why = "nonebot-plugin-alconna is not installed"
        results.append(
            unmeasured(6, "total time and CPU against `image_fetch`", "≥ 15 × less", why)
        )
    return results


class _Workload:
    """The 60 messages: new pictures each time, in the same order."""

    def __init__(self, host: ImageHost) -> None:
        self._host = host
        self._next = 0
        self._urls: dict[str, str] = {}
        dice = random.Random(0)
        repeats = (dice.randrange(_DISTINCT) for _ in range(_MESSAGES - _DISTINCT))
        self._order = [*range(_DISTINCT), *repeats]
        dice.shuffle(self._order)

    async def __call__(self, consume: Consume, milliseconds: int, tls: bool) -> Cost:
        events: list[GroupMessageEvent] = []
        for place, number in enumerate(self._order):
            picture = Numbered(self._next + number, _SIZE)
            url = self._host.url(picture, milliseconds=milliseconds, tls=tls)
            self._urls[picture.name] = url
            event = Adapter.json_to_event(message(self._next + place, picture, url))
            assert isinstance(event, GroupMessageEvent)
            events.append(event)
        self._next += _MESSAGES
        with stopwatch() as cost:
            got = await asyncio.gather(
                *(consume(event) for event in events for _ in range(_PLUGINS))
            )
        assert {len(data) for data in got} == {_SIZE}
        return cost

    async def answer(self, api: str, data: dict[str, Any]) -> dict[str, Any]:
        """What the implementation says: the URL that the segment has already."""
        return {"url": self._urls[data["file"]]}


def _ours() -> Consume:
    from nonebot_plugin_qqimage import get_resolver  # NoneBot has loaded it by now

    resolver = get_resolver()

    async def consume(event: GroupMessageEvent) -> bytes:
        return await (await resolver.images(event))[0].read()

    return consume


class _Ideal:
    """One flight per picture and a dictionary, on a client that everybody shares."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._flights: dict[str, asyncio.Task[bytes]] = {}

    async def __call__(self, event: GroupMessageEvent) -> bytes:
        data = event.message[0].data
        flight = self._flights.get(data["file"])
        if flight is None:
            flight = self._flights[data["file"]] = asyncio.create_task(self._get(data["url"]))
        return await flight

    async def _get(self, url: str) -> bytes:
        return (await self._client.get(url)).content


async def _naive(event: GroupMessageEvent) -> bytes:
    async with httpx.AsyncClient() as client:
        return (await client.get(event.message[0].data["url"])).content


def _image_fetch(bot: AnsweringBot) -> Consume | None:
    if find_spec("nonebot_plugin_alconna") is None:
        return None
    nonebot.require("nonebot_plugin_alconna")
    from nonebot_plugin_alconna.uniseg import (  # pyright: ignore[reportMissingImports]
        Image,
        image_fetch,
    )

    async def consume(event: GroupMessageEvent) -> bytes:
        image = Image(url=event.message[0].data["url"])
        return await image_fetch(event, bot, {}, image) or b""

    return consume
