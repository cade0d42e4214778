"""Bots and the server's processes are killed: what was acknowledged is there afterwards."""

import asyncio
import os
import random
import signal
import sys
from dataclasses import replace
from pathlib import Path

from ..store.pictures import Picture
from .hosts import Hosts
from .line import Line
from .server import Server

_PATIENCE = 120.0


async def kills(folder: Path, server: Server, *, times: int) -> list[Line]:
    """Kill a host so often, then the server's processes; what became of acknowledged pictures."""
    return [
        await _hosts(folder / "hosts", server, times),
        await _backends(folder / "backends", server, times),
    ]


async def _hosts(folder: Path, server: Server, times: int) -> Line:
    url, dice = server.database(), random.Random(1)
    acknowledged: list[int] = []
    for number in range(times):
        process = await _writer(folder, url, number * 10_000, 10_000)
        assert process.stdout is not None
        first = await asyncio.wait_for(process.stdout.readline(), _PATIENCE)
        await asyncio.sleep(dice.random() / 2)
        process.kill()
        acknowledged += _numbers(first + await process.stdout.read())
        await process.wait()
    acknowledged += await _finish(await _writer(folder, url, times * 10_000, 1))
    lost = await _lost(folder, url, acknowledged)
    figures = f"{len(acknowledged)} acknowledged, {lost} lost or wrong"
    return Line(f"{times} × kill -9 of a host", figures, not lost)


async def _backends(folder: Path, server: Server, times: int) -> Line:
    url, dice = server.database(), random.Random(2)
    writer = await _writer(folder, url, 0, 200 * times, pause=0.005)
    writing = asyncio.ensure_future(_finish(writer))
    killed = 0
    for _ in range(times):
        await asyncio.sleep(0.2 + dice.random() / 2)
        while not (backends := await asyncio.to_thread(_backends_of, server)):
            await asyncio.sleep(0.1)  # the host starts, or waits until the server has started
            if writing.done():
                break
        for process in backends:
            try:
                os.kill(process, signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                pass
        await asyncio.to_thread(server.wait)
    acknowledged = await asyncio.wait_for(writing, _PATIENCE)
    lost = await _lost(folder, url, acknowledged)
    figures = f"{killed} processes, {len(acknowledged)} acknowledged, {lost} lost or wrong"
    return Line(f"{times} × kill -9 of PostgreSQL's processes", figures, not lost and killed > 0)


def _backends_of(server: Server) -> list[int]:
    try:
        return server.backends()
    except RuntimeError:  # it is starting again
        return []


async def _writer(
    folder: Path, url: str, first: int, count: int, pause: float = 0.0
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.shared.writer"),
        *(str(folder / "host"), url, str(first), str(count), str(pause)),
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )


async def _finish(process: asyncio.subprocess.Process) -> list[int]:
    out, _ = await asyncio.wait_for(process.communicate(), _PATIENCE)
    assert out.endswith(b"sent\n"), out[-200:]
    return _numbers(out)


def _numbers(out: bytes) -> list[int]:
    complete = out[: out.rfind(b"\n") + 1].decode().split("\n")
    return [int(line) for line in complete if line.isdigit()]


async def _lost(folder: Path, url: str, numbers: list[int]) -> int:
    """How many of these pictures another host does not find, or not as they are."""
    hosts = Hosts(folder, url)
    try:
        other = await hosts.start("other")
        lost = 0
        for start in range(0, len(numbers), 64):
            some = [Picture(number, filler=5_000) for number in numbers[start : start + 64]]
            found = await asyncio.gather(
                *(other.find(replace(each.reference, self_id="2")) for each in some)
            )
            for picture, info in zip(some, found, strict=True):
                lost += info is None or await other.read(info) != picture.data
        return lost
    finally:
        await hosts.close()
