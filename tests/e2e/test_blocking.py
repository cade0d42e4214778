"""Handlers that block the bot's event loop while they download: with rewriting on they get bytes.

Without a server in a thread of its own, they would wait for one that only this loop could answer.
"""

import importlib.util
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median

import pytest

from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.image_host.faults import Fault
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.transports.forward_ws import ForwardWebSocket

from .bots import PATIENCE, SharedBot, accounts, new_png, sha256, started, stored

CLIENTS = ("requests", "urllib", "httpx")
with_uvloop = pytest.mark.skipif(
    importlib.util.find_spec("uvloop") is None, reason="there is no uvloop here"
)
DRIVERS = [
    pytest.param("~fastapi+~websockets", "asyncio"),
    pytest.param("~fastapi+~websockets", "uvloop", marks=with_uvloop),
    pytest.param("~httpx+~websockets", "asyncio"),
    pytest.param("~httpx+~websockets", "uvloop", marks=with_uvloop),
]


@asynccontextmanager
async def blocked(
    folder: Path, driver: str, loop: str
) -> AsyncIterator[tuple[SharedBot, SimulatedImplementation, SimulatedCdn]]:
    async with AsyncExitStack() as stack:
        cdn = await stack.enter_async_context(SimulatedCdn())
        implementation = SimulatedImplementation("napcat", cdn, self_id=next(accounts))
        forward = await stack.enter_async_context(ForwardWebSocket(implementation))
        settings = {
            "DRIVER": driver,
            "EVENT_LOOP": loop,
            "ONEBOT_WS_URLS": [forward.url],
            "QQIMAGE__REWRITE_URL": True,
        }
        bot = await stack.enter_async_context(started(folder, "blocking", settings=settings))
        await implementation.connected(1, PATIENCE)
        yield bot, implementation, cdn


async def get(
    implementation: SimulatedImplementation, client: str, *pictures: bytes
) -> list[tuple[int, str, float, str]]:
    """Status, digest, seconds, and text for each picture."""
    parts = [f"/get {client} ", *map(implementation.picture, pictures)]
    await implementation.send_group(parts)
    return [tuple(each) for each in json.loads((await implementation.next_sent(PATIENCE)).text)]


@pytest.mark.parametrize(("driver", "loop"), DRIVERS)
async def test_clients_that_block(tmp_path: Path, driver: str, loop: str) -> None:
    async with blocked(tmp_path / "bot", driver, loop) as (bot, implementation, cdn):
        await implementation.send_group("/loop")
        assert (await implementation.next_sent(PATIENCE)).text == loop
        live = {client: new_png() for client in CLIENTS}
        for _ in range(2):
            taken: list[float] = []
            for client, data in live.items():
                [(status, digest, seconds, text)] = await get(implementation, client, data)
                assert (status, digest) == (200, sha256(data)), text
                taken.append(seconds)
            assert median(taken) < 3, taken  # this machine may have been busy with other tests once
            for data in live.values():  # what was downloaded while the loop was blocked is kept
                await stored(bot, data)
            cdn.faults.set(Fault.NOT_FOUND)
        taken = []
        for client in CLIENTS:
            [(status, _, seconds, text)] = await get(implementation, client, new_png())
            assert status == 502
            assert json.loads(text)["error"] == "ImageUnavailable", text
            assert "blocks the bot's event loop" in json.loads(text)["hint"]
            taken.append(seconds)
        assert median(taken) < 5, taken


async def test_links_that_die_in_other_ways(tmp_path: Path) -> None:
    async with blocked(tmp_path / "bot", "~httpx+~websockets", "asyncio") as (_, napcat, cdn):
        taken: list[float] = []
        for fault in (Fault.EXPIRED, Fault.HANG, Fault.RESET, Fault.HTML, Fault.TRUNCATED):
            cdn.faults.set(fault)
            [(status, _, seconds, text)] = await get(napcat, "requests", new_png())
            assert status == 502, fault
            assert "url of the segment" in json.loads(text)["message"]
            taken.append(seconds)
        assert median(taken) < 5, taken


async def test_a_link_that_is_slow_is_the_last_way(tmp_path: Path) -> None:
    async with blocked(tmp_path / "bot", "~httpx+~websockets", "asyncio") as (_, napcat, cdn):
        data = new_png()
        cdn.faults.drip_bytes, cdn.faults.drip_seconds = len(data) // 8, 1.0
        cdn.faults.set(Fault.DRIP)
        [(status, digest, _, text)] = await get(napcat, "requests", data)
        assert (status, digest) == (200, sha256(data)), text
        [(status, _, seconds, _)] = await get(napcat, "httpx", data)  # follows no redirects
        assert (status, seconds < 6) == (302, True)


async def test_several_pictures_wait_for_the_loop_once(tmp_path: Path) -> None:
    async with blocked(tmp_path / "bot", "~httpx+~websockets", "asyncio") as (_, napcat, _cdn):
        pictures = [new_png() for _ in range(5)]
        got = await get(napcat, "requests", *pictures)
        assert [digest for _, digest, _, _ in got] == [sha256(data) for data in pictures]
        assert sum(seconds for _, _, seconds, _ in got) < 5
