"""From the frame on the socket to the bytes in handlers that download: the host is 20 ms away,
so that a connection, TLS and the answer take as long each.

The implementation names the link alone. By hand, a handler downloads it with a client that all
share, or with a new one each time, as most plugins do.
"""

import itertools
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
from nonebot.adapters.onebot.v11 import MessageEvent

from .certificate import trusted_certificate
from .handler import injected
from .measure import Comparison, Cost, compare, seconds, side_by_side
from .picture_server import image_host
from .pictures import Numbered
from .socket_bot import socket_bot
from .table import Result, at_most, times_less, within

_ROUNDS = 5
_MESSAGES = 6
"""Of which each round takes the median, for a busy machine delays some."""
_SIZE = 120_000
_PLUGINS = 10
_UNTIL_KNOWN = 21
"""Messages after which the plugin knows that the implementation only repeats the links."""


async def measure() -> list[Result]:
    """Rows 16 to 18."""
    with tempfile.TemporaryDirectory() as folder:
        certificate = trusted_certificate(Path(folder))
        async with image_host(certificate) as host, httpx.AsyncClient() as client:

            def describe(picture: Numbered) -> tuple[str, dict[str, Any]]:
                url = host.url(picture, distant=True)
                return url, {"url": url, "file_size": str(_SIZE)}

            async def shared(event: MessageEvent) -> Sequence[bytes]:
                return [(await client.get(url)).content for url in _links(event)]

            async with socket_bot(describe) as bot:
                numbers = itertools.count(1)

                def side(handler: Callable[..., Any], plugins: int = 1) -> Callable[[int], Any]:
                    return bot.side(
                        *[handler] * plugins,
                        size=_SIZE,
                        pictures=lambda: [Numbered(next(numbers), _SIZE)],
                        ours=handler is ours,
                    )

                ours = injected()
                await side(ours)(_UNTIL_KNOWN)
                alone = await _turns(
                    {"ours": side(ours), "shared": side(shared), "new": side(_new_client)}
                )
                together = {"ours": side(ours, _PLUGINS), "new": side(_new_client, _PLUGINS)}
                before = await host.fetches()
                await together["ours"](_MESSAGES)
                fetches = (await host.fetches() - before) / _MESSAGES
                many = await _turns(together)
    what = "one new picture of 120 KB by link, https, 20 ms away"
    ten = f"{_PLUGINS} plugins want such a picture of one message"
    new, one = "a new httpx client each time", "one shared httpx client"
    return [
        at_most(16, what, "ms", one, _compared(alone, "shared"), 1.2),
        times_less(17, what, "ms", new, _compared(alone, "new"), 3),
        times_less(18, ten, "ms", f"{_PLUGINS} × {new}", _compared(many, "new"), 5),
        within(18, f"{ten}: fetches a message", "", fetches, 1, reference=_PLUGINS),
    ]


async def _turns(sides: dict[str, Callable[[int], Any]]) -> dict[str, list[Cost]]:
    turns = {name: lambda run=run: run(_MESSAGES) for name, run in sides.items()}
    return await side_by_side(turns, _ROUNDS)


def _compared(costs: dict[str, list[Cost]], side: str) -> Comparison:
    return compare(seconds(costs["ours"]), seconds(costs[side])) * 1000


def _links(event: MessageEvent) -> list[str]:
    return [segment.data["url"] for segment in event.message["image"]]


async def _new_client(event: MessageEvent) -> Sequence[bytes]:
    found: list[bytes] = []
    for url in _links(event):
        async with httpx.AsyncClient() as client:
            found.append((await client.get(url)).content)
    return found
