"""Three hosts of two bots each, before simulated implementations: mixed traffic, and forget."""

import asyncio
import contextlib
import hashlib
import json
import random
import time
from pathlib import Path
from typing import Any

from nonebot_plugin_qqimage.demo.bot_process import BotProcess
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.pictures import noise_png
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

from .hosts import until
from .line import Line
from .server import Server

_PLUGIN = Path(__file__).parent / "plugins" / "keep.py"
_HOSTS, _BOTS = 3, 2
_REPEATS = 0.6
_PATIENCE = 60.0


class Side:
    """One bot, and the implementation in front of it."""

    def __init__(self, folder: Path, host: int, number: int, cdn: SimulatedCdn, url: str) -> None:
        self.store = folder / f"host{host}" / "nonebot_plugin_qqimage"
        self.bot = BotProcess(
            folder / f"bot{number}",
            {
                "QQIMAGE__SHARED_STORE": url,
                "LOCALSTORE_DATA_DIR": str(folder / f"host{host}"),
                "LOG_LEVEL": "INFO",
            },
            (_PLUGIN,),
        )
        self.implementation = SimulatedImplementation("napcat", cdn, self_id=10001 + number)

    def seen(self) -> list[dict[str, Any]]:
        """What the plugin has written down."""
        file = self.bot.folder / "seen.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]


async def traffic(folder: Path, server: Server, *, seconds: float, rate: float) -> list[Line]:
    """Send pictures to bots at random; what came of it, and of forgetting beside it."""
    url = server.database()
    async with contextlib.AsyncExitStack() as stack:
        cdn = await stack.enter_async_context(SimulatedCdn())
        sides = [
            Side(folder, number // _BOTS, number, cdn, url) for number in range(_HOSTS * _BOTS)
        ]
        for side in sides:  # one by one, for a start takes a second of processor time
            await stack.enter_async_context(side.bot)
            await stack.enter_async_context(ReverseWebSocket(side.implementation, side.bot.ws_url))
            await side.implementation.connected(1, _PATIENCE)
        name = url.rpartition("/")[2]
        await until(
            lambda: int(server.sql("SELECT count(*) FROM qqimage.host", name)) == len(sides)
        )
        for number, side in enumerate(sides):  # the first download of each takes its time
            picture = side.implementation.picture(noise_png(5_000, seed=80_000 + number))
            await side.implementation.send_group([picture], group_id=20003)
        await until(lambda: all(side.seen() for side in sides), _PATIENCE)
        warm_up = len(cdn.requests)
        cdn.requests.clear()
        return [
            await _mixed(cdn, sides, seconds, rate, warm_up),
            await _forget(sides),
        ]


async def _mixed(
    cdn: SimulatedCdn, sides: list[Side], seconds: float, rate: float, warm_up: int
) -> Line:
    dice = random.Random(7)
    data: list[bytes] = []
    sent = {side: dict[int, str]() for side in sides}
    begun = time.monotonic()
    count = 0
    while time.monotonic() - begun < seconds:
        side = dice.choice(sides)
        if data and dice.random() < _REPEATS:
            chosen = dice.choice(data[-100:])
        else:
            chosen = noise_png(dice.randrange(5_000, 60_000), seed=len(data))
            data.append(chosen)
        message = await side.implementation.send_group([side.implementation.picture(chosen)])
        sent[side][message] = hashlib.sha256(chosen).hexdigest()
        count += 1
        await asyncio.sleep(max(0.0, begun + count / rate - time.monotonic()))
    missing = await _arrived(sides, sent)
    wrong = sum(
        sent[side].get(line["message"]) != line.get("sha256") or not line.get("right")
        for side in sides
        for line in side.seen()[1:]
    )
    waits = sorted(line["waited"] for side in sides for line in side.seen()[1:])
    fetches = len(cdn.requests)
    alike, known = await _known(sides)
    alone = sum(side.bot.log.count("goes on with the local store alone") for side in sides)
    figures = (
        f"{count} messages, {len(data)} pictures: {fetches} fetches "
        f"({fetches / max(1, len(data)):.3f} ×) after {warm_up} to warm up, {wrong} wrong, "
        f"{missing} lost, find gives {known}, find and latest give "
        f"{'the same' if alike else '**something else**'} on all hosts; median wait "
        f"{waits[len(waits) // 2] * 1000:.0f} ms, longest {waits[-1]:.2f} s; {alone} × the "
        "database did not answer within 2 s"
    )
    once = fetches <= 1.02 * len(data)
    held = once and not wrong and not missing and alike and known == count
    return Line("3 hosts × 2 bots, 60 % repeats", figures, held)


async def _arrived(sides: list[Side], sent: dict[Side, dict[int, str]]) -> int:
    """Wait until everything has been answered; how much was not."""

    def missing() -> int:
        return sum(
            len(sent[side].keys() - {line["message"] for line in side.seen()}) for side in sides
        )

    with contextlib.suppress(AssertionError):
        await until(lambda: not missing(), _PATIENCE)
    return missing()


async def _known(sides: list[Side]) -> tuple[bool, int]:
    """Whether all bots know the same of the chat, and of how many pictures."""
    await asyncio.sleep(3)  # journals and outboxes wait a moment
    told = [await _told(side, "look", "look.json") for side in sides]
    return all(each == told[0] for each in told), len(told[0]["find"])


async def _told(side: Side, text: str, name: str, group: int = 20001) -> Any:
    file = side.bot.folder / name
    file.unlink(missing_ok=True)
    await side.implementation.send_group(text, group_id=group)
    await until(lambda: file.exists() and file.read_text(), _PATIENCE)
    return json.loads(file.read_text())


async def _forget(sides: list[Side]) -> Line:
    """Forget a chat at one bot; how long until no host has its pictures."""
    pictures = [noise_png(9_000, seed=90_000 + number) for number in range(20)]
    digests = {hashlib.sha256(each).hexdigest() for each in pictures}
    for number, picture in enumerate(pictures):
        for side in (sides[number % 2], sides[2], sides[-1]):  # on every host
            content = [side.implementation.picture(picture)]
            await side.implementation.send_group(content, group_id=20002)

    def there() -> int:
        return sum(
            path.stem in digests
            for folder in {side.store for side in sides}
            for path in (folder / "images").rglob("*.*")
        )

    with contextlib.suppress(AssertionError):
        await until(lambda: there() == _HOSTS * len(pictures), _PATIENCE)
    kept = there()
    await asyncio.sleep(3)
    begun = time.monotonic()
    gone = await _told(sides[0], "forget", "forgotten.json", 20002)
    ordered = time.monotonic() - begun
    with contextlib.suppress(AssertionError):
        await until(lambda: not there(), 10)
    took = time.monotonic() - begun
    left = there()
    figures = (
        f"{gone[0]} sightings and {gone[1]} images forgotten in {ordered:.2f} s; {left} of {kept} "
        f"files left on 3 hosts after {took:.2f} s"
    )
    return Line("forget beside it", figures, not left and took < ordered + 2)
