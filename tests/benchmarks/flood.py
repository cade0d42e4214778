"""A thousand messages with 5 MB pictures at once; the implementation answers one call at a time.

Half of the answers hold the picture itself, the other half its URL.
"""

import re
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pybase64

from nonebot_plugin_qqimage.config import ScopedConfig
from nonebot_plugin_qqimage.demo.bot_process import BotProcess
from nonebot_plugin_qqimage.simulator.image_host.cdn import SimulatedCdn
from nonebot_plugin_qqimage.simulator.implementation import SimulatedImplementation
from nonebot_plugin_qqimage.simulator.transports.reverse_ws import ReverseWebSocket

from .in_process import message
from .memory import resident
from .picture_server import image_host
from .pictures import Numbered
from .table import Result, unmeasured, within

_PICTURES = 1000
_SIZE = 5_000_000
_ANSWER_SECONDS = 0.01
_MARGIN = 32
"""Megabytes beyond the bytes in flight."""
_PATIENCE = 240.0
_PLUGIN = Path(__file__).parent / "plugins" / "count.py"
_WHAT = f"{_PICTURES:,} messages with pictures of 5 MB at once"
_MEMORY = f"{_WHAT}: memory above the idle bot"


async def measure() -> list[Result]:
    """Row 12."""
    pictures = {
        picture.name: picture
        for picture in (Numbered(number, _SIZE) for number in range(_PICTURES))
    }
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        host = await stack.enter_async_context(image_host())
        cdn = await stack.enter_async_context(SimulatedCdn())
        bot = BotProcess(folder, {"EXPECTED": _PICTURES}, (_PLUGIN,))
        await stack.enter_async_context(bot)
        implementation = SimulatedImplementation("napcat", cdn)
        implementation.behaviour.serial = True
        implementation.behaviour.delays["get_image"] = _ANSWER_SECONDS

        def answer(params: dict[str, Any]) -> dict[str, Any]:
            picture = pictures[params["file"]]
            data = {"file": "", "url": host.url(picture), "file_size": str(_SIZE)}
            if picture.number % 2:
                data["base64"] = pybase64.b64encode_as_string(picture.data)
            return {"status": "ok", "retcode": 0, "data": data, "message": "", "wording": ""}

        implementation.answers["get_image"] = answer
        await stack.enter_async_context(ReverseWebSocket(implementation, bot.ws_url))
        await implementation.connected(1, 30)
        process = int(_logged(bot, r"process (\d+)\."))
        idle = resident(process)
        for picture in pictures.values():
            await implementation.push(message(picture.number + 1, picture, host.url(picture)))
        await bot.wait_for_log("failed: ", _PATIENCE)
        failures = int(_logged(bot, r"failed: (\d+)\."))
        peak = resident(process, peak=True)
    results = [within(12, f"{_WHAT}: failures", "", failures, 0)]
    allowed = ScopedConfig().max_bytes_in_flight / 1e6 + _MARGIN
    if idle is None or peak is None:
        why = "this system does not say how much memory a process had"
        return [*results, unmeasured(12, _MEMORY, f"≤ {allowed:g} MB", why)]
    return [
        *results,
        within(12, _MEMORY, "MB", peak - idle, round(allowed), note=f"idle: {idle:.0f} MB"),
    ]


def _logged(bot: BotProcess, pattern: str) -> str:
    match = re.search(pattern, bot.log)
    assert match is not None
    return match[1]
