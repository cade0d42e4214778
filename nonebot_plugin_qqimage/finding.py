"""Finding references: in events, messages, quoted messages, and in what this bot sends."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from nonebot.adapters import Event
from nonebot.adapters.onebot.v11 import (
    GroupMessageEvent,
    GroupUploadNoticeEvent,
    Message,
    MessageEvent,
    MessageSegment,
)

from .reference import ImageReference, from_segment, from_shared_file, parts_of
from .sighting import Sighting, group_chat, private_chat

_MAX_IMAGES = 100
"""Images looked at in one message; QQ itself allows far fewer."""


def find_in_event(event: Event) -> tuple[list[ImageReference], list[ImageReference]]:
    """The images of an event's message, and those of the message it quotes.

    Shared files that are images by their name count, in messages and in upload notices.
    """
    if isinstance(event, GroupUploadNoticeEvent):
        reference = from_shared_file(_fields(event.file), str(event.self_id), event.group_id)
        return ([] if reference is None else [reference]), []
    if not isinstance(event, MessageEvent):
        return [], []
    self_id = str(event.self_id)
    group_id = event.group_id if isinstance(event, GroupMessageEvent) else 0
    own = find_in_message(event.message, self_id, str(event.message_id), group_id)
    if event.reply is None:
        return own, []
    quoted = find_in_message(event.reply.message, self_id, str(event.reply.message_id), group_id)
    return own, quoted


def find_sightings(
    event: Event, own: Iterable[ImageReference], quoted: Iterable[ImageReference]
) -> list[Sighting]:
    """Where the images that `find_in_event` found in an event were seen.

    Those that nobody could find again, as they stand in no message, are left out.
    """
    if isinstance(event, GroupUploadNoticeEvent):
        sent = str(event.user_id), _time(event.time)
        return [Sighting(each, group_chat(event.group_id), *sent) for each in own]
    if not isinstance(event, MessageEvent):
        return []
    chat = chat_of(event)
    sent = str(event.user_id), _time(event.time)
    found = [Sighting(each, chat, *sent) for each in own if each.message_id]
    if event.reply is not None:
        sent = str(event.reply.sender.user_id or ""), _time(event.reply.time)
        found += [Sighting(each, chat, *sent) for each in quoted if each.message_id]
    return found


def chat_of(event: Event) -> str:
    """The chat an event belongs to, as in `Sighting.chat`; empty for one that has none."""
    group_id = getattr(event, "group_id", None)
    if group_id is not None:
        return group_chat(group_id)
    user_id = getattr(event, "user_id", None)
    return "" if user_id is None else private_chat(user_id)


def find_in_message(
    message: Iterable[object], self_id: str = "", message_id: str = "", group_id: int = 0
) -> list[ImageReference]:
    """The images among these segments (`MessageSegment` or plain mappings), in order."""
    found: list[ImageReference] = []
    for segment in message:
        reference = from_segment(segment, self_id, message_id, len(found))
        if reference is not None:
            found.append(replace(reference, group_id=group_id) if reference.file_id else reference)
            if len(found) == _MAX_IMAGES:
                break
    return found


def find_in_own_event(event: Event) -> list[Sighting]:
    """The images of a ``message_sent`` event: what this bot's account sent, from any device.

    NoneBot has no model for such events; their fields are as the peer sent them.
    """
    if event.get_type() != "message_sent":
        return []
    fields = _fields(event)
    message_id, self_id = fields.get("message_id"), fields.get("self_id")
    if message_id is None:
        return []
    found = find_in_message(segments_of(fields.get("message")), str(self_id), str(message_id))
    return _own(found, chat_of_sent(fields))


def find_sent(self_id: str, params: Mapping[str, Any], result: object) -> list[Sighting]:
    """The images of a message this bot has just sent.

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
    if isinstance(nodes, (list, Message)):
        contents = [parts_of(node)[1].get("content") for node in cast(list[object], nodes)]
        segments = [segment for content in contents for segment in segments_of(content)]
    else:
        segments = segments_of(params.get("message"))
    return _own(find_in_message(segments, self_id, str(message_id)), chat_of_sent(params))


def chat_of_sent(fields: Mapping[str, Any]) -> str:
    """The chat of a message this bot's account sent, by the fields that say where it went."""
    if fields.get("group_id"):
        return group_chat(fields["group_id"])
    # the other side, where a message_sent event has this account in user_id
    other = fields.get("target_id") or fields.get("user_id")
    return private_chat(other) if other else ""


def segments_of(content: object) -> Iterable[object]:
    """The segments of a message's content, which may be a message, a list, or CQ codes."""
    if isinstance(content, str):
        return Message(content)
    if isinstance(content, (MessageSegment, Mapping)):
        return [cast(object, content)]
    return cast(list[object], content) if isinstance(content, list) else []


def _own(references: list[ImageReference], chat: str) -> list[Sighting]:
    now = time.time()
    return [
        Sighting(each if each.face_id else replace(each, own=True), chat, each.self_id, now)
        for each in references
    ]


def _time(value: object) -> float:
    """When a message was sent, as the peer says; now, if that makes no sense."""
    now = time.time()
    return float(value) if isinstance(value, (int, float)) and 0 < value < now else now


def _fields(model: object) -> dict[str, Any]:
    """Every field of a model; pydantic 2 keeps those apart that the model does not declare."""
    extra = cast(dict[str, Any], getattr(model, "__pydantic_extra__", None) or {})
    return {**vars(model), **extra}
