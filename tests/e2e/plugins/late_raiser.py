"""A preprocessor with a bug, which shows a moment after the others have run."""

import asyncio

from nonebot.adapters.onebot.v11 import MessageEvent
from nonebot.message import event_preprocessor


@event_preprocessor
async def _(event: MessageEvent) -> None:
    if "late boom" in event.get_plaintext():
        await asyncio.sleep(0.3)
        raise ZeroDivisionError
