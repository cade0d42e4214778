"""Bots on a new store and on one that version 0.1.0 left, and messages written by hand."""

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio

from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.messages import Other

from .bots import PATIENCE, SharedBot, new_png, sha256, started, stored, told

EARLIER = Path(__file__).parents[1] / "store" / "fixtures" / "earlier"
"""A store made by the code of version 0.1.0."""
NEW, UPGRADED = "new store", "store of 0.1.0"


@dataclass(frozen=True)
class Stage:
    """A bot, and the pictures that were in its store when it started."""

    bot: SharedBot
    left: Iterator[bytes]

    async def known(self, implementation: SimulatedImplementation) -> bytes:
        """A picture in the store that no other case uses: of 0.1.0, while there are any."""
        data = next(self.left, b"")
        if not data:
            data = new_png()
            await implementation.send_group(implementation.picture(data), group_id=20099)
            assert (await told(implementation))["sha256"] == sha256(data)
            await stored(self.bot, data)
        return data


@asynccontextmanager
async def staged(
    folder: Path, store: str, *plugins: str, settings: dict[str, Any] | None = None
) -> AsyncIterator[Stage]:
    """A bot on a new store, or on one that version 0.1.0 left."""
    left: list[bytes] = []
    if store == UPGRADED:
        shutil.copytree(EARLIER, folder / "data" / "nonebot_plugin_qqimage")
        left = [path.read_bytes() for path in sorted((EARLIER / "images").rglob("*.png"))]
    # the store of 0.1.0 was last used long ago
    settings = {"QQIMAGE__GET_IMAGE_TIMEOUT": 2, "QQIMAGE__MAX_AGE": 1e9, **(settings or {})}
    async with started(folder, "ask", "cut", *plugins, settings=settings) as bot:
        with anyio.fail_after(PATIENCE):
            while left and not _is_upgraded(bot):  # which goes on in the background
                await anyio.sleep(0.1)
        yield Stage(bot, iter(left))


def _is_upgraded(bot: SharedBot) -> bool:
    with closing(sqlite3.connect(bot.store / "index.sqlite3")) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        count = "SELECT (SELECT count(*) FROM images) = (SELECT count(*) FROM digests)"
        return "digests" in tables and bool(db.execute(count).fetchone()[0])


async def said(implementation: SimulatedImplementation) -> Any:
    """What the bot says next in words, as the plugins of these tests write it."""
    while not (text := (await implementation.next_sent(PATIENCE)).text):
        pass  # a picture
    return json.loads(text)


async def asked(implementation: SimulatedImplementation, words: str, **where: Any) -> Any:
    """What the bot answers to somebody's words in a group."""
    await implementation.send_group(words, **where)
    return await said(implementation)


def by_hand(kind: str = "image", **data: Any) -> Other:
    """A segment with exactly this data."""
    return Other(kind, data)


async def written(
    implementation: SimulatedImplementation, *segments: Other | str, **fields: Any
) -> int:
    """Let a member say something in a group, with these segments as they stand.

    Args:
        implementation: tells of it.
        segments: of the message.
        fields: of the event, in place of those that the implementation would give.
    """
    message = implementation.message("group", list(segments))
    message = replace(message, message_id=fields.get("message_id", message.message_id))
    implementation.remember(message)
    await implementation.push({**implementation.flavour.event(message), **fields})
    return message.message_id


def traffic(implementation: SimulatedImplementation) -> tuple[int, int]:
    """How often pictures were asked for, and how often they were downloaded."""
    asking = ("get_image", "get_file", "get_msg", "get_rkey", "nc_get_rkey", "download_file")
    calls = sum(call.action in asking for call in implementation.calls)
    return calls, len(implementation.cdn.requests)
