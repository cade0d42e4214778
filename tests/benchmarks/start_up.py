"""What our plugin adds to the start of a bare bot, and to its event loop meanwhile."""

import asyncio
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from nonebot_plugin_qqimage.demo.bot_process import free_port

from .measure import Comparison, Cost, compare, cpu, seconds, side_by_side
from .table import Result, within

_ROUNDS = 9
_BOT = """
import time
started = time.perf_counter()
import asyncio, json, os, sys
import nonebot
from nonebot.adapters.onebot.v11 import Adapter

nonebot.init(driver="~fastapi", host="127.0.0.1", port={port}, log_level="WARNING",
             localstore_use_cwd=True)
driver = nonebot.get_driver()
driver.register_adapter(Adapter)
late = 0.0

async def tick():
    global late
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.0005)
        late = max(late, time.perf_counter() - before - 0.0005)

@driver.on_startup
async def _():
    global ticking
    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.01)

{plugin}

@driver.on_startup
async def _():
    found = [time.perf_counter() - started, time.process_time()]
    async def end():
        await asyncio.sleep(0.3)
        print(json.dumps([*found, late]), flush=True)
        os._exit(0)
    global ending
    ending = asyncio.create_task(end())

nonebot.run()
"""
_PLUGIN = 'assert nonebot.load_plugin("nonebot_plugin_qqimage")'


async def measure() -> list[Result]:
    """Row 14."""
    stalls: dict[str, list[float]] = {"": [], _PLUGIN: []}

    async def start(folder: Path, plugin: str) -> Cost:
        wall, work, late = await _started(folder, plugin)
        stalls[plugin].append(late * 1000)
        return Cost(wall, work)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        costs = await side_by_side(
            {"ours": lambda: start(folder, _PLUGIN), "bare": lambda: start(folder, "")}, _ROUNDS
        )
    wall = compare(seconds(costs["ours"]), seconds(costs["bare"])) * 1000
    work = compare(cpu(costs["ours"]), cpu(costs["bare"])) * 1000
    stall = statistics.median(stalls[_PLUGIN])
    return [
        _added("time to import and start, added to a bare bot", wall),
        _added("CPU to import and start, added to a bare bot", work),
        within(
            14,
            "longest block of the loop while the bot starts",
            "ms",
            stall,
            5,
            reference=statistics.median(stalls[""]),
            against="a bare bot",
        ),
    ]


def _added(what: str, compared: Comparison) -> Result:
    added = compared.ours - compared.reference
    whole = f"{compared.ours:.0f} ms with it"
    return within(
        14, what, "ms", added, 120, reference=compared.reference, against="a bare bot", note=whole
    )


async def _started(folder: Path, plugin: str) -> list[float]:
    """Seconds and seconds of processor time until the bot is up, and of the longest block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _BOT.format(plugin=plugin, port=free_port()),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        # what is imported has been compiled by the start before, as on an operator's machine
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder)},
    )
    output, _ = await process.communicate()
    return json.loads(output.splitlines()[-1])  # behind what NoneBot logs
