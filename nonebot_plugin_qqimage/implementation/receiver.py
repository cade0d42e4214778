"""Which bot received a segment that an author holds, and where it stood."""

from dataclasses import replace
from typing import Any

from nonebot.adapters import Bot as BaseBot
from nonebot.adapters import Event
from nonebot.adapters.onebot.v11 import Bot
from nonebot.matcher import current_bot, current_event

from ..language import say
from ..messages.chats import chat_of, checked_chat
from ..messages.events import find_in_event
from ..messages.reference import ImageReference
from .implementations import Implementations

_PLACELESS: dict[str, Any] = {
    "self_id": "",
    "message_id": "",
    "position": 0,
    "group_id": 0,
    "own": False,
}
"""What a segment does not say by itself."""


def asked_chat(chat: str | None, own: str) -> str | None:
    """The chat that an author asks about; None for any.

    Args:
        chat: what the author has given: a chat, or ``all``; None for that of the current handler.
        own: the chat of the image that is asked about, for outside of handlers; empty for none.

    Raises:
        ValueError: the text is no chat, or nobody knows the chat.
    """
    if chat == "all":
        return None
    if chat is not None:
        return checked_chat(chat)
    event = current_event.get(None)
    where = ("" if event is None else chat_of(event)) or own
    if not where:
        raise ValueError(say('nobody knows which chat asks: give chat=, or chat="all"'))
    return where


def received(
    reference: ImageReference,
    implementations: Implementations,
    event: Event | None,
    bot: BaseBot | None,
) -> ImageReference:
    """A reference with the bot that received it, and with its place where the event has it.

    Args:
        reference: of a segment alone.
        implementations: of the connected bots.
        event: what the author has given; where neither is given, those of the current handler.
        bot: the same.
    """
    if event is None and bot is None:
        event, bot = current_event.get(None), current_bot.get(None)
    self_id = str(getattr(event, "self_id", "")) if bot is None else bot.self_id
    if event is not None and str(getattr(event, "self_id", "")) == self_id:
        for found in (each for some in find_in_event(event) for each in some):
            if replace(found, **_PLACELESS) == reference:
                return found
    if not self_id or not (bot is None or isinstance(bot, Bot)):
        connected = implementations.connected
        self_id = connected[0].bot.self_id if len(connected) == 1 else ""
    group_id = getattr(event, "group_id", None) if reference.file_id else None
    return replace(reference, self_id=self_id, group_id=group_id or 0)
