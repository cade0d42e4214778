"""Runs the attacks on the store's promises, and prints what came of them as a table.

It ends with 1 where a promise was broken.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from nonebot.log import logger

from ..benchmarks.machine import heading
from .common import Attack, Line

ATTACKS = {
    "wrong_bytes": 1,
    "half_writes": 2,
    "kills": 3,
    "processes": 4,
    "bounds": 5,
    "clocks": 5,
    "failing_disk": 5,
    "memory": 6,
    "growth": 7,
    "reencoding": 8,
    "fairness": 8,
    "endurance": 9,
}
"""Each module, and the promise it attacks."""


def main() -> int:
    """Attack what the command line asks for."""
    options = _parser().parse_args()
    logger.remove()
    lines: list[Line] = []
    for name, promise in ATTACKS.items():
        if options.only and promise not in options.only:
            continue
        started = time.monotonic()
        lines += asyncio.run(run(name, quick=options.quick))
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    print(table(lines))
    return 0 if all(line.held for line in lines) else 1


async def run(name: str, *, quick: bool) -> list[Line]:
    """Run one module's attack, in a folder of its own."""
    attack: Attack = import_module(f"{__package__}.{name}").attack
    with tempfile.TemporaryDirectory(prefix="qqimage-", ignore_cleanup_errors=True) as folder:
        return await attack(Path(folder), quick)


def table(lines: list[Line]) -> str:
    """The lines in Markdown, with one above that says when and where."""
    rows = [heading(), "", "| promise | attack | figures | held |", "|---|---|---|---|"]
    for line in lines:
        held = "yes" if line.held else "**no**"
        rows.append(f"| {line.promise} | {line.attack} | {line.figures} | {held} |")
    return "\n".join(rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.promises", description=__doc__)
    parser.add_argument(
        "--only",
        metavar="PROMISES",
        type=lambda text: [int(part) for part in text.split(",")],
        help="such as 1,3",
    )
    parser.add_argument("--quick", action="store_true", help="shortened, as in the tests")
    return parser


if __name__ == "__main__":
    sys.exit(main())
