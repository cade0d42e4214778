"""From the frame on the socket to the bytes in a handler: ours against the shortest one by hand.

``get_image`` answers after 5 ms with a file of 120 KB, as an implementation on the same machine
does. By hand, the handler calls ``get_image`` for one picture after the other and reads the files
in a thread; ours injects `Images` and reads them. A new picture is inspected and kept by ours, too.
"""

import itertools
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
from nonebot.adapters.onebot.v11 import Bot, MessageEvent

from .measure import Cost, compare, seconds, side_by_side
from .pictures import Numbered
from .socket_bot import socket_bot
from .table import Result, at_most

_ROUNDS = 7
_MESSAGES = 8
"""Of which each round takes the median, for a busy machine delays some."""
_SIZE = 120_000
_MANY = 9
"""Pictures of one message."""


async def measure() -> list[Result]:
    """Row 15."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def describe(picture: Numbered) -> tuple[str, dict[str, Any]]:
            path = folder / picture.name
            if not path.exists():
                path.write_bytes(picture.data)
            answer = {"file": str(path), "file_size": str(_SIZE)}
            return "https://images.example/none", answer

        async with socket_bot(describe) as bot:
            ours, numbers = injected(), itertools.count(1)

            def new(count: int) -> Callable[[], list[Numbered]]:
                return lambda: [Numbered(next(numbers), _SIZE) for _ in range(count)]

            def known(count: int) -> Callable[[], list[Numbered]]:
                return lambda: [Numbered((1 << 40) + number, _SIZE) for number in range(count)]

            found: list[Result] = []
            for count, limit, limit_known in ((1, 1.3, 0.35), (_MANY, 0.5, 0.35)):
                sides = {
                    "ours": bot.side(ours, size=_SIZE, pictures=new(count), ours=True),
                    "known": bot.side(ours, size=_SIZE, pictures=known(count), ours=True),
                    "by hand": bot.side(_by_hand, size=_SIZE, pictures=new(count), ours=False),
                }
                turns = {side: lambda run=run: run(_MESSAGES) for side, run in sides.items()}
                costs = await side_by_side(turns, _ROUNDS)
                what = "one picture" if count == 1 else f"{count} pictures"
                found.append(_row(f"{what} of 120 KB, new", costs, "ours", limit))
                found.append(_row(f"{what}, known", costs, "known", limit_known))
    return found


def _row(what: str, costs: dict[str, list[Cost]], side: str, limit: float) -> Result:
    compared = compare(seconds(costs[side]), seconds(costs["by hand"])) * 1000
    whole = f"from the frame to the bytes in a handler, {what}"
    return at_most(15, whole, "ms", "`get_image` and a read in a thread", compared, limit)


def injected() -> Callable[..., Any]:
    """A handler that gets its pictures from our plugin. Call it once NoneBot has loaded that."""
    from nonebot_plugin_qqimage import Images

    async def handler(images: Images) -> Sequence[bytes]:
        return [await image.read() for image in images]

    return handler


async def _by_hand(bot: Bot, event: MessageEvent) -> Sequence[bytes]:
    found: list[bytes] = []
    for segment in event.message["image"]:
        answer = await bot.get_image(file=segment.data["file"])
        found.append(await anyio.Path(answer["file"]).read_bytes())
    return found
