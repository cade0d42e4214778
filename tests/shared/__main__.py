"""Runs one store for bots on many hosts against a real PostgreSQL, and prints what came of it.

It ends with 1 where something was not as promised, and with 2 where there is no PostgreSQL.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from nonebot.log import logger

from ..benchmarks.machine import heading
from .kills import kills
from .line import Line
from .outages import outages
from .server import ABSENT, Server, binaries, running
from .speed import speed
from .traffic import traffic
from .upgrades import upgrades

Scenario = Callable[[Path, Server, bool], Awaitable[list[Line]]]
SCENARIOS: dict[str, Scenario] = {
    "upgrades": lambda folder, server, short: upgrades(server, short=short),
    "outages": lambda folder, server, short: outages(folder, server, seconds=4 if short else 15),
    "kills": lambda folder, server, short: kills(folder, server, times=3 if short else 20),
    "traffic": lambda folder, server, short: traffic(
        folder, server, seconds=8 if short else 120, rate=10 if short else 15
    ),
    "speed": lambda folder, server, short: speed(folder, server),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.shared", description=__doc__)
    parser.add_argument("--short", action="store_true", help="within a minute or so; no speed")
    parser.add_argument("--only", metavar="NAMES", help="such as traffic,kills")
    options = parser.parse_args()
    if binaries() is None:
        print(ABSENT, file=sys.stderr)
        return 2
    logger.remove()
    chosen = options.only.split(",") if options.only else [*SCENARIOS]
    if options.short and not options.only:
        chosen.remove("speed")
    lines: list[Line] = []
    with running() as server, tempfile.TemporaryDirectory(prefix="qqimage-") as folder:
        for name in chosen:
            begun = time.monotonic()
            lines += asyncio.run(SCENARIOS[name](Path(folder) / name, server, options.short))
            print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    print(heading(), "", "| scenario | figures | held |", "|---|---|---|", sep="\n")
    for line in lines:
        print(f"| {line.scenario} | {line.figures} | {'yes' if line.held else '**no**'} |")
    return 0 if all(line.held for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
