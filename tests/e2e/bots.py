"""Real bots in processes of their own, and simulated implementations around them.

To start a bot takes a second of processor time, so cases share one wherever they can. Each case
has an account (`account`) and pictures (`seeds`, `fresh`) that no other case has: what one leaves
in the store or in the bot's memory is nothing to another.
"""

import hashlib
import itertools
import json
import re
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from nonebot_plugin_qqimage.demo.bot_process import BotProcess
from nonebot_plugin_qqimage.messages.reference import ImageReference
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import extension, png
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket
from nonebot_plugin_qqimage.store.image_store import ImageStore

PLUGINS = Path(__file__).parent / "plugins"
PATIENCE = 30.0
OUR_TRACEBACK = re.compile(r'File ".*nonebot_plugin_qqimage[/\\]')
COMMON_PLUGINS = ("crowd", "echo", "forwards", "ping", "speak")
COMMON_SETTINGS = {"QQIMAGE__GET_IMAGE_TIMEOUT": 2}

accounts = itertools.count(10001)
"""Numbers of bot accounts; each case takes new ones."""
seeds = itertools.count(1)
"""Seeds of pictures; each case takes new ones."""


class SharedBot(BotProcess):
    """A bot process for several cases; its log is that of the case that runs."""

    _begin = 0

    @property
    def log(self) -> str:
        """What it has printed since the case began."""
        return self.whole_log[self._begin :]

    @property
    def whole_log(self) -> str:
        """Everything it has printed so far."""
        return super().log

    @property
    def served_at(self) -> str:
        """The URL of the server of our own, as the start of the log tells it."""
        found = re.search(r"qqimage: .*(http://127\.0\.0\.1:2[0-9]{4})\b", self.whole_log)
        assert found, self.whole_log
        return found[1]

    def begin(self) -> None:
        """Let a case begin."""
        self._begin = len(self.whole_log)

    async def settle(self) -> None:
        """Wait for the matchers that run, as a call of theirs would wait long for its answer.

        One that hangs, as some are made to, is waited for a second.
        """
        with anyio.move_on_after(1):
            while (log := self.log).count("will be handled by") > log.count("running complete"):
                await anyio.sleep(0.02)

    def check(self) -> None:
        """It must run, and neither have blocked its loop nor met an unexpected error."""
        assert self.alive, self.log
        self.check_log()

    def check_log(self) -> None:
        """It must neither have blocked its loop nor met an unexpected error."""
        for trouble in ("BlockingError", "unexpected error", "was never awaited"):
            assert trouble not in self.log, self.log
        assert not OUR_TRACEBACK.search(self.log), self.log


@asynccontextmanager
async def started(
    folder: Path, *plugins: str, settings: dict[str, Any] | None = None
) -> AsyncIterator[SharedBot]:
    """A bot that is checked when it ends."""
    paths = tuple(PLUGINS / f"{name}.py" for name in ("detect_blocking", "see_all", *plugins))
    bot = SharedBot(folder, settings, paths)
    async with bot:
        yield bot
        bot.check()
    bot.check_log()


def watched(bot: SharedBot) -> Iterator[SharedBot]:
    """One case of a bot that several share."""
    bot.begin()
    yield bot
    bot.check()


Simulate = Callable[..., SimulatedImplementation]
"""Makes implementations, each with an account of its own, in front of one image host."""


@asynccontextmanager
async def connected(
    implementation: SimulatedImplementation, bot: SharedBot
) -> AsyncIterator[SimulatedImplementation]:
    """The implementation, connected to the bot by a reverse WebSocket."""
    async with ReverseWebSocket(implementation, bot.ws_url):
        await implementation.connected(1, PATIENCE)
        yield implementation
        await bot.settle()


def new_png() -> bytes:
    """A PNG that no other case has."""
    return png(seed=next(seeds))


def fresh(data: bytes) -> bytes:
    """The same picture in bytes that no other case has: with a comment in its file."""
    note = f"{next(seeds):06}".encode()
    if extension(data) == "jpg":
        return data[:2] + b"\xff\xfe" + struct.pack(">H", 2 + len(note)) + note + data[2:]
    if extension(data) == "gif":
        return data[:-1] + b"\x21\xfe" + bytes([len(note)]) + note + b"\0;"
    assert extension(data) == "webp"
    grown = data + b"note" + struct.pack("<I", len(note)) + note
    return grown[:4] + struct.pack("<I", len(grown) - 8) + grown[8:]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def told(
    implementation: SimulatedImplementation, timeout: float = PATIENCE
) -> dict[str, Any]:
    """What the example plugin says of the next picture."""
    return json.loads((await implementation.next_sent(timeout)).text)


async def stored(bot: BotProcess, data: bytes) -> None:
    """Wait until the store has that picture."""
    store = ImageStore(bot.store, max_size=1 << 40, max_age=1 << 40)
    try:
        with anyio.fail_after(PATIENCE):
            while await store.find(ImageReference(sha256=sha256(data))) is None:
                await anyio.sleep(0.02)
    finally:
        await store.close()


def files(bot: BotProcess, data: bytes) -> list[Path]:
    """The files of that picture in the bot's store."""
    return list(bot.store.rglob(f"{sha256(data)}.*"))


def pngs(folder: Path) -> list[Path]:
    """All PNGs in a folder, however deep."""
    return list(folder.rglob("*.png"))
