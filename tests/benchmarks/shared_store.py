"""The shared store beside bare asyncpg, against a PostgreSQL that is started for it."""

import tempfile
from pathlib import Path

from ..shared.server import ABSENT, binaries, running
from ..shared.speed import pairs
from .measure import compare
from .table import Result, at_most, unmeasured

_ROW = 23


async def measure() -> list[Result]:
    """Row 23."""
    if binaries() is None:
        return [unmeasured(_ROW, "the shared store beside bare asyncpg", "≤ 1.30 ×", ABSENT)]
    with running() as server, tempfile.TemporaryDirectory() as folder:
        return [
            at_most(
                *(_ROW, f"shared store: {pair.what}", "ms", pair.against),
                *(compare(pair.ours, pair.theirs) * 1000, pair.most, pair.note),
            )
            for pair in await pairs(Path(folder), server)
        ]
