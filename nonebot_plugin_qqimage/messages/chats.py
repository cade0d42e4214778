"""Chats: where a message belongs, as text that settings, `find`, `forget` and `latest` take.

``group:<id>`` and ``private:<id of the other side>``, decided by ``message_type`` and never by
which ids happen to be there: NapCat gives a temporary session, which is private, the id of the
group it came from. Kinds of messages that nobody knows get a chat of their own.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

from nonebot.adapters import Event

from ..language import Text

_CHAT = re.compile(r"[a-z_]{1,32}:[^\x00-\x20\x7f-\x9f]{1,128}")
_KIND = re.compile(r"[^a-z_]+")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]+")
_IDS = ("guild_id", "channel_id", "group_id", "user_id")


def group_chat(group_id: object) -> str:
    """The name of a group's chat."""
    return f"group:{group_id}"


def private_chat(user_id: object) -> str:
    """The name of the private chat with somebody."""
    return f"private:{user_id}"


def chat_of(event: Event) -> str:
    """The chat an event belongs to, as in `Sighting.chat`; empty for one that has none."""
    return chat_in(fields_of(event))


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
        # a message of this account says whom it was sent to
        user = fields.get("target_id") or user
    kind = fields.get("message_type")
    if kind is None:  # a notice or a request
        return group_chat(group) if group else private_chat(user) if user else ""
    if kind == "group":
        return group_chat(group) if group else ""
    if kind == "private":
        return private_chat(user) if user else ""
    ids = "/".join(str(fields[name]) for name in _IDS if fields.get(name))
    name = _KIND.sub("_", str(kind).lower())[:24] or "_"
    # no group and no user shares it, whatever the kind calls itself
    return f"other_{name}:{_UNPRINTABLE.sub('_', ids)[:120]}" if ids else ""


def chat_of_call(api: str, params: Mapping[str, Any]) -> str:
    """The chat that a message is sent to; empty where the call does not say it.

    Args:
        api: the action, such as ``send_msg``.
        params: its parameters.
    """
    group, user = params.get("group_id"), params.get("target_id") or params.get("user_id")
    kind = params.get("message_type")
    for each in ("group", "private"):
        if f"_{each}_" in api:
            kind = each
    if kind not in ("group", "private"):
        kind = "group" if group else "private"
    if kind == "group":
        return group_chat(group) if group else ""
    return private_chat(user) if user else ""


def checked_chat(chat: str) -> str:
    """The chat itself.

    Raises:
        ValueError: the text is no chat, such as a bare id.
    """
    if _CHAT.fullmatch(str(chat)):
        return chat
    text = Text(
        "{chat} is no chat: it must be group:<id> or private:<id of the other side>",
        chat=repr(chat)[:100],
    )
    raise ValueError(text.local)


def fields_of(model: object) -> dict[str, Any]:
    """Every field of a model; pydantic 2 keeps those apart that the model does not declare."""
    extra = cast(dict[str, Any], getattr(model, "__pydantic_extra__", None) or {})
    return {**vars(model), **extra}
