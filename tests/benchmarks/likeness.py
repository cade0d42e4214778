"""`resolver.similar` among a million pictures that have been hashed, with numpy and without."""

import statistics
import tempfile
from pathlib import Path

from nonebot_plugin_qqimage.content.looks import numbers

from ..looks.speed import fill, late_by, search
from .table import Result, unmeasured, within

_COUNT = 1_000_000
_LIMITS = {"with numpy": 25, "without numpy": 150}
"""Milliseconds of a search."""


async def measure() -> list[Result]:
    """Row 22."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        uris = await fill(Path(folder), _COUNT)
        for way, limit in _LIMITS.items():
            what = f"`similar` among a million pictures {way}"
            numbers.disabled = way == "without numpy"
            if not numbers.disabled and numbers.numpy() is None:
                results.append(unmeasured(22, what, f"≤ {limit} ms", "numpy is not installed"))
                continue
            speed = await search(Path(folder), uris)
            slowest = max(statistics.median(took) for took in speed.searches.values())
            first = f"the first search, which reads all hashes, takes {speed.first:.1f} s"
            late = max(late_by(speed.late), late_by(speed.late_at_first))
            results += [
                within(22, what, "ms", slowest * 1000, limit, note=first),
                within(22, f"how late the loop is meanwhile, 99 %, {way}", "ms", late, 5),
            ]
    return results
