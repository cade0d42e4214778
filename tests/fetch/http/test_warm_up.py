"""Making downloads ready holds nobody up, in a process that has not downloaded anything yet."""

import asyncio
import sys

MOST = 0.05
"""Seconds for which the event loop may be blocked, once."""
TRIES = 4
"""Processes that are measured, for the machine may be busy; the best one counts."""
PROGRAM = """
import asyncio, time
import nonebot
nonebot.init(driver="~fastapi", log_level="CRITICAL")
nonebot.require("nonebot_plugin_localstore")
nonebot.load_plugin("nonebot_plugin_qqimage")
from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.fetch.fetcher import Fetcher

async def main():
    stalls = []

    async def watch():
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            stalls.append(time.perf_counter() - before)

    watching = asyncio.create_task(watch())
    fetcher = Fetcher(ScopedConfig())
    await fetcher.warm_up()
    before = time.perf_counter()
    await fetcher.warm_up()
    again = time.perf_counter() - before
    watching.cancel()
    await fetcher.close()
    print("measured", max(stalls), again)

asyncio.run(main())
"""


async def measured() -> tuple[float, float]:
    """The longest time for which the loop was blocked, and the time that a second warm-up takes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    (line,) = [line for line in out.decode().splitlines() if line.startswith("measured")]
    _, stall, again = line.split()
    return float(stall), float(again)


async def test_the_loop_is_hardly_blocked() -> None:
    best = (1.0, 1.0)
    for _ in range(TRIES):
        best = min(best, await measured())
        if best[0] <= MOST:
            break
    stall, again = best
    assert stall <= MOST
    assert again < 0.01  # it is done once
