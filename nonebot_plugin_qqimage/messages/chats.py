"""Chats: where a message belongs, as text that settings, `find`, `forget` and `latest` take.

``group:<id>`` and ``private:<id of the other side>``, decided by ``message_type`` and never by
which ids happen to be there: NapCat gives a temporary session, which is private, the id of the
group it came from. Kinds of messages that nobody knows get a chat of their own.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

from nonebot.adapters import Event
from nonebot.adapters.onebot.v11 import GroupMessageEvent

from ..language import say

_CHAT = re.compile(r"(?:group|private|other_[a-z_]{1,24}):[^\x00-\x20\x7f-\x9f]{1,128}")
_KIND = re.compile(r"[^a-z_]+")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]+")
_IDS = ("guild_id", "channel_id", "group_id", "user_id")
_GROUPS = ("guild_id", "channel_id")
"""What names a chat of another kind with all its members; else each user has one of their own."""


def group_chat(group_id: object) -> str:
    """The name of a group's chat."""
    return f"group:{group_id}"


def private_chat(user_id: object) -> str:
    """The name of the private chat with somebody."""
    return f"private:{user_id}"


def chat_of(event: Event) -> str:
    """The chat an event belongs to, as in `Sighting.chat`; empty for one that has none."""
    if isinstance(event, GroupMessageEvent) and event.message_type == "group":
        return group_chat(event.group_id)  # at once, for nearly every event is one
    return chat_in(fields_of(event))


def sender_in(message: object) -> str:
    """Who sent a message, by an answer that holds it; empty where it does not say so."""
    fields: Mapping[str, Any] = (
        cast(Mapping[str, Any], message) if isinstance(message, Mapping) else {}
    )
    sender: Any = fields.get("sender")
    said = cast(Mapping[str, Any], sender) if isinstance(sender, Mapping) else fields
    return str(said.get("user_id") or fields.get("sender_id") or "")


def chat_in(fields: Mapping[str, Any]) -> str:
    """The chat of a message or another event; empty where its fields do not say it.

    Args:
        fields: of an event, or of an answer of ``get_msg``.
    """
    group, user = fields.get("group_id"), fields.get("user_id")
    sender = fields.get("sender")
    if not user and isinstance(sender, Mapping):
        user = cast(Mapping[str, object], sender).get("user_id")
    if str(fields.get("self_id", "")) == str(user):
        # a message of this account says whom it was sent to, except where SnowLuma tells of it
        user = fields.get("target_id")
    kind = fields.get("message_type")
    if kind is None:  # a notice or a request
        return group_chat(group) if group else private_chat(user) if user else ""
    if kind == "group":
        return group_chat(group) if group else ""
    if kind == "private":
        return private_chat(user) if user else ""
    names = _GROUPS if fields.get("channel_id") else _IDS
    ids = "/".join(str(fields[name]) for name in names if fields.get(name))
    name = _KIND.sub("_", str(kind).lower())[:24] or "_"
    # no group and no user shares it, whatever the kind calls itself
    return f"other_{name}:{_UNPRINTABLE.sub('_', ids)[:120]}" if ids else ""


def chat_of_call(api: str, params: Mapping[str, Any], event: Event | None = None) -> str:
    """The chat that a message is sent to; empty where the call does not say it.

    Args:
        api: the action, such as ``send_msg``.
        params: its parameters.
        event: what is being handled. A call that answers it in a chat of another kind does not
            repeat all that names the chat.
    """
    group, user = params.get("group_id"), params.get("target_id") or params.get("user_id")
    kind = params.get("message_type")
    for each in ("group", "private"):
        if f"_{each}_" in api:
            kind = each
    if kind and kind not in ("group", "private"):
        fields = {} if event is None else fields_of(event)
        answers = all(fields.get(name) == params.get(name) for name in ("message_type", "user_id"))
        return chat_in(fields if answers else params)
    if not kind and params.get("channel_id"):
        return chat_in({**params, "message_type": "guild"})
    if kind == "group" or (not kind and group):
        return group_chat(group) if group else ""
    return private_chat(user) if user else ""


def is_chat(text: str) -> bool:
    """Whether a text names a chat; a bare id does not."""
    return _CHAT.fullmatch(text) is not None


def checked_chat(chat: str) -> str:
    """The chat itself.

    Raises:
        ValueError: the text is no chat, such as a bare id.
    """
    if is_chat(str(chat)):
        return chat
    raise ValueError(
        say(
            "{chat} is no chat: it must be group:<id> or private:<id of the other side>",
            chat=repr(chat)[:100],
        )
    )


def fields_of(model: object) -> dict[str, Any]:
    """Every field of a model; pydantic 2 keeps those apart that the model does not declare."""
    extra = cast(dict[str, Any], getattr(model, "__pydantic_extra__", None) or {})
    return {**vars(model), **extra}
