"""Runs the benchmarks and prints their table."""

import argparse
import sys
import time
from pathlib import Path

from .apart import measured
from .machine import facts, heading
from .table import Result, markdown, save

MODULES = {
    "events": (1, 2),
    "first_matcher": (3,),
    "downloads": (4, 5, 6),
    "store_costs": (7, 9),
    "reading": (8,),
    "serving": (10,),
    "loop_stalls": (11,),
    "flood": (12,),
    "growth": (13,),
    "start_up": (14,),
    "handler": (15,),
    "by_link": (16, 17, 18),
    "busy_day": (19,),
    "data_url": (20,),
    "browsing": (21,),
    "likeness": (22,),
    "shared_store": (23,),
}
"""Each module, and the rows it measures."""


def main() -> None:
    """Measure what the command line asks for."""
    options = _parser().parse_args()
    wanted = (
        set(options.only) if options.only else {row for rows in MODULES.values() for row in rows}
    )
    results: list[Result] = []
    for name, rows in MODULES.items():
        if wanted.isdisjoint(rows):
            continue
        started = time.monotonic()
        results += [result for result in measured(name) if result.row in wanted]
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    results.sort(key=lambda result: result.row)
    print(markdown(results, heading()))
    if options.json:
        save(options.json, results, facts())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="ROWS", type=_numbers, help="such as 1,2,7")
    parser.add_argument("--json", metavar="FILE", type=Path, help="keep the results there")
    return parser


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    main()
