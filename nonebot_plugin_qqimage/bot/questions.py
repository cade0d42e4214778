"""Questions: asking the user of an event for images, and waiting for them.

A temporary matcher waits for the answer and takes nothing but images and words that cancel: with
`reject`, the user's next command would be taken for the answer. nonebot-plugin-waiter waits in the
same way, but not for one question at a time, and it refuses to load beside NoneBot's own
``single_session``, which would keep this plugin from loading, too.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from typing import Literal

from nonebot import get_driver
from nonebot.adapters import Event
from nonebot.adapters.onebot.v11 import MessageEvent
from nonebot.consts import CMD_KEY, PREFIX_KEY
from nonebot.matcher import Matcher
from nonebot.rule import Rule
from nonebot.typing import T_State

from ..image import Image
from ..messages.chats import chat_of

_MAX_OPEN = 256
"""Questions at a time, for each one costs every message a look; the oldest ends when more come."""
Asked = tuple[str, str, str]
"""The bot, the chat and the user."""
Answer = list[Image] | Literal["cancelled", "late", "replaced"]
"""The images, or why there are none."""
_open: dict[Asked, "asyncio.Future[Answer]"] = {}


def asked_by(event: Event) -> Asked | None:
    """Whom a question about an event goes to; None where there is nobody but the bot itself."""
    bot, chat = str(getattr(event, "self_id", "")), chat_of(event)
    user = str(getattr(event, "user_id", None) or "")
    return (bot, chat, user) if bot and chat and user not in ("", bot) else None


async def ask(
    asked: Asked,
    send: Callable[[], Awaitable[object]],
    find: Callable[[Event], Awaitable[list[Image]]],
    timeout: float,
    cancel: Collection[str],
) -> Answer:
    """Ask for images, and wait for them; a question to the same user in the same chat ends.

    Args:
        asked: whom to ask.
        send: sends the question.
        find: gives the images of an event.
        timeout: seconds to wait.
        cancel: what the user may say instead, in lower case.
    """
    answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    async def answers(event: Event, state: T_State) -> bool:
        if answer.done() or not isinstance(event, MessageEvent) or asked_by(event) != asked:
            return False
        text = event.get_plaintext().strip()
        images = [] if _is_command(text, state) else await find(event)
        if answer.done() or not (images or text.lower() in cancel):
            return False
        _end(answer, images or "cancelled")
        return True

    _end(_open.pop(asked, None), "replaced")
    while len(_open) >= _MAX_OPEN:
        _end(_open.pop(next(iter(_open))), "late")
    _open[asked] = answer
    # before the question is sent, for the answer may be fast; nobody else reacts to the answer.
    # `nonebot.on` would look for source files to find out who calls, which blocks
    matcher = Matcher.new(
        "message",
        rule=Rule(answers),
        priority=0,
        block=True,
        temp=True,
    )
    try:
        await send()
        return await asyncio.wait_for(answer, timeout)
    except asyncio.TimeoutError:
        return "late"
    finally:
        if _open.get(asked) is answer:
            del _open[asked]
        with contextlib.suppress(ValueError):  # NoneBot removes one that has run
            matcher.destroy()


def _end(answer: "asyncio.Future[Answer] | None", outcome: Answer) -> None:
    if answer is not None and not answer.done():
        answer.set_result(outcome)


def _is_command(text: str, state: T_State) -> bool:
    """Whether a message is a command, which goes its own way even with images in it."""
    starts = tuple(start for start in get_driver().config.command_start if start)
    return bool(state.get(PREFIX_KEY, {}).get(CMD_KEY)) or text.startswith(starts)
