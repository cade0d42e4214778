"""A preprocessor with a bug, which shows before anything else can happen."""

from nonebot.adapters.onebot.v11 import MessageEvent
from nonebot.message import event_preprocessor


@event_preprocessor
async def _(event: MessageEvent) -> None:
    if "early boom" in event.get_plaintext():
        raise ZeroDivisionError
