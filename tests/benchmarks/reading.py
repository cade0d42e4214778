"""`await image.read()` of a stored picture, which verifies it, against reading the file."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio.to_thread

from .in_process import keep, running_bot
from .measure import Cost, compare, seconds, side_by_side, stopwatch
from .pictures import Numbered
from .table import Result, at_most

_PICTURES = 400
_SIZE = 120_000
_AT_ONCE = 8
_ROUNDS = 11


async def measure() -> list[Result]:
    """Row 8."""
    async with running_bot():
        from nonebot_plugin_qqimage import ImageReference, get_resolver

        resolver = get_resolver()
        references: list[ImageReference] = []
        paths: list[Path] = []
        for number in range(_PICTURES):
            picture = Numbered(number, _SIZE)
            await keep(picture)
            # resolved when its message came, as by then the plugin asks for it
            reference = ImageReference("10001", str(number), file=picture.name, size=_SIZE)
            paths.append((await resolver.image(reference)).path)
            references.append(reference)

        async def ours(number: int) -> bytes:
            return await resolver.image(references[number]).read()

        async def file(number: int) -> bytes:
            return await anyio.to_thread.run_sync(paths[number].read_bytes)

        sides = {"ours": lambda: _all(ours), "file": lambda: _all(file)}
        costs = await side_by_side(sides, _ROUNDS)
    return [
        at_most(
            8,
            f"`await image.read()` of a stored picture, verified, {_AT_ONCE} at once",
            "µs",
            "the file, read in a thread",
            compare(seconds(costs["ours"]), seconds(costs["file"])) * (1e6 / _PICTURES),
            1.3,
        )
    ]


async def _all(read: Callable[[int], Awaitable[bytes]]) -> Cost:
    """Read all of them, some at once."""
    waiting = iter(range(_PICTURES))

    async def some() -> None:
        for number in waiting:
            assert len(await read(number)) == _SIZE

    with stopwatch() as cost:
        await asyncio.gather(*(some() for _ in range(_AT_ONCE)))
    return cost
