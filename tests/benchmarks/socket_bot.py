"""A bot behind a real WebSocket, and how long its handlers wait for their pictures.

The time counts from the moment the implementation, a process of its own, sends the message.
"""

import asyncio
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import nonebot
from nonebot import on_message
from nonebot.adapters.onebot.v11 import Adapter, Bot, MessageEvent
from nonebot.log import logger
from nonebot.matcher import Matcher, matchers
from nonebot.message import _event_preprocessors as preprocessors
from nonebot.params import Depends

from .in_process import message
from .measure import Cost
from .pictures import Numbered

Handler = Callable[..., Awaitable[Sequence[bytes]]]
"""A handler with NoneBot's parameters, which gives the pictures of its message."""
Describe = Callable[[Numbered], tuple[str, dict[str, Any]]]
"""The link of a picture, and what ``get_image`` answers about it."""

_SETTLE = 0.05
"""Seconds between two messages, for what is done about the last one in the background."""
_MAX_SECONDS = 30.0


class SocketBot:
    """A bot whose implementation sends what a benchmark wants.

    Args:
        process: the implementation.
        describe: what it says about pictures.
    """

    def __init__(self, process: asyncio.subprocess.Process, describe: Describe) -> None:
        self._process = process
        self._describe = describe
        self._ids = itertools.count(1)
        self._waiting = 0
        self._got: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._hooks = set(preprocessors)
        self._expected = 0

    def side(
        self, *handlers: Handler, size: int, pictures: Callable[[], list[Numbered]], ours: bool
    ) -> Callable[[int], Awaitable[Cost]]:
        """What lets handlers, and nobody else, get the pictures of some messages one by one.

        Args:
            handlers: what they do.
            size: of each picture, in bytes.
            pictures: gives those of the next message.
            ours: whether the plugin sees the messages.
        """
        chosen: list[type[Matcher]] = []
        for handler in handlers:
            matcher = on_message(block=False)
            matcher.append_handler(self._reporting(handler, size))
            chosen.append(matcher)
        matchers.clear()

        async def run(messages: int) -> Cost:
            preprocessors.clear()
            preprocessors.update(self._hooks if ours else ())
            matchers.clear()
            for matcher in chosen:
                matchers[matcher.priority].append(matcher)
            took = [await self._once(pictures(), len(chosen)) for _ in range(messages)]
            return Cost(seconds=statistics.median(took))

        return run

    def _reporting(self, handler: Handler, size: int) -> Callable[..., Awaitable[None]]:
        async def report(
            event: MessageEvent, got: Annotated[Any, Depends(handler, use_cache=False)]
        ) -> None:
            now = time.perf_counter()
            assert [len(data) for data in got] == [size] * self._expected
            self._waiting -= 1
            if not self._waiting:
                self._got.set_result(now - getattr(event, "sent_at"))  # noqa: B009  no field of it

        return report

    async def _once(self, pictures: list[Numbered], handlers: int) -> float:
        self._got = asyncio.get_running_loop().create_future()
        self._waiting, self._expected = handlers, len(pictures)
        told = {picture.name: self._describe(picture) for picture in pictures}
        number = next(self._ids)
        events = [message(number, picture, told[picture.name][0]) for picture in pictures]
        event = {**events[0], "message": [each for it in events for each in it["message"]]}
        answers = {name: answer for name, (_, answer) in told.items()}
        assert self._process.stdin is not None
        order = json.dumps({"answers": answers, "event": event}).encode()
        self._process.stdin.write(order + b"\n")
        took = await asyncio.wait_for(self._got, _MAX_SECONDS)
        await asyncio.sleep(_SETTLE)
        return took


@asynccontextmanager
async def socket_bot(describe: Describe) -> AsyncIterator[SocketBot]:
    """Start an implementation, and NoneBot with our plugin and one connected bot, once a process.

    Args:
        describe: what the implementation says about pictures.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"{__package__}.socket_implementation",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            logger.remove()
            nonebot.init(
                driver="~httpx+~websockets",
                onebot_ws_urls=[url],
                localstore_data_dir=Path(folder),
                qqimage={"trusted_hosts": ["127.0.0.1"]},
            )
            driver = nonebot.get_driver()
            connected = asyncio.Event()

            @driver.on_bot_connect
            async def _(bot: Bot) -> None:
                connected.set()

            driver.register_adapter(Adapter)
            assert nonebot.load_plugin("nonebot_plugin_qqimage")
            async with driver._lifespan:  # as the driver itself does while it runs
                await asyncio.wait_for(connected.wait(), _MAX_SECONDS)
                yield SocketBot(process, describe)
    finally:
        process.terminate()
        await process.wait()
