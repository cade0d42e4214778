"""What is read of events and calls: the images of messages received, uploaded and sent."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from nonebot.adapters import Event
from nonebot.adapters.onebot.v11 import GroupMessageEvent, GroupUploadNoticeEvent, MessageEvent

from .reader import Reader, find_in_message, found_in
from .reference import ImageReference
from .segments import from_shared_file
from .sighting import Sighting, group_chat, private_chat


def find_in_event(event: Event) -> tuple[list[ImageReference], list[ImageReference]]:
    """The images of an event's message, and those of the message it quotes.

    An image that was uploaded to a group's files counts as the event's own.
    """
    if not isinstance(event, MessageEvent):
        return [sighting.reference for sighting in _find_upload(event)], []
    place = str(event.self_id), event.group_id if isinstance(event, GroupMessageEvent) else 0
    own = find_in_message(event.message, place[0], str(event.message_id), place[1])
    reply = event.reply
    if reply is None:
        return own, []
    return own, find_in_message(reply.message, place[0], str(reply.message_id), place[1])


def find_received(event: Event) -> list[Sighting]:
    """Where the images of `find_in_event` were seen: the event's own, then the quoted ones."""
    if not isinstance(event, MessageEvent):
        return _find_upload(event)
    own, quoted = find_in_event(event)
    chat, reply = chat_of(event), event.reply
    found = [Sighting(each, chat, str(event.user_id), _time(event.time)) for each in own]
    if quoted and reply is not None:
        user, sent = str(reply.sender.user_id or ""), _time(reply.time)
        found += [Sighting(each, chat, user, sent) for each in quoted]
    return found


def _find_upload(event: Event) -> list[Sighting]:
    if not isinstance(event, GroupUploadNoticeEvent):
        return []
    reference = from_shared_file(_fields(event.file), str(event.self_id), event.group_id)
    if reference is None:
        return []
    return [Sighting(reference, group_chat(event.group_id), str(event.user_id), _time(event.time))]


def find_in_own_event(event: Event) -> list[Sighting]:
    """The images of a ``message_sent`` event: what this bot's account sent, from any device.

    NoneBot has no model for such events; their fields are as the implementation sent them.
    """
    if event.get_type() != "message_sent":
        return []
    fields = _fields(event)
    message_id, self_id = fields.get("message_id"), fields.get("self_id")
    if message_id is None:
        return []
    found = find_in_message(fields.get("message"), str(self_id), str(message_id))
    return _own(found, chat_of_sent(fields))


def find_sent(self_id: str, params: Mapping[str, Any], result: object) -> list[Sighting]:
    """The images of a message this bot has just sent, those in the nodes of a record included.

    Args:
        self_id: the bot.
        params: the parameters of the ``send_…`` action.
        result: its answer.
    """
    if not isinstance(result, Mapping):
        return []
    message_id = cast(Mapping[str, Any], result).get("message_id")
    if message_id is None:
        return []
    nodes = params.get("messages")
    content = cast(object, nodes) if isinstance(nodes, list) else params.get("message")
    walk = Reader(self_id).message(content, str(message_id))
    return _own([each.reference for each in found_in(walk)], chat_of_sent(params))


def chat_of(event: Event) -> str:
    """The chat an event belongs to, as in `Sighting.chat`; empty for one that has none."""
    group_id = getattr(event, "group_id", None)
    if group_id is not None:
        return group_chat(group_id)
    user_id = getattr(event, "user_id", None)
    return "" if user_id is None else private_chat(user_id)


def chat_of_sent(fields: Mapping[str, Any]) -> str:
    """The chat of a message that this bot's account sent; empty where the fields do not say it.

    Args:
        fields: of the message, or the parameters of the call.
    """
    if fields.get("group_id"):
        return group_chat(fields["group_id"])
    # a message_sent event has this account in user_id, and the other side in target_id
    other = fields.get("target_id") or fields.get("user_id")
    return private_chat(other) if other else ""


def _own(references: list[ImageReference], chat: str) -> list[Sighting]:
    now = time.time()
    return [
        Sighting(each if each.face_id else replace(each, own=True), chat, each.self_id, now)
        for each in references
    ]


def _time(value: object) -> float:
    """When a message was sent, as the implementation says; now, if that makes no sense."""
    now = time.time()
    return float(value) if isinstance(value, (int, float)) and 0 < value < now else now


def _fields(model: object) -> dict[str, Any]:
    """Every field of a model; pydantic 2 keeps those apart that the model does not declare."""
    extra = cast(dict[str, Any], getattr(model, "__pydantic_extra__", None) or {})
    return {**vars(model), **extra}
