"""Finding references: in events, messages, quoted messages, and in what this bot sends."""

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


def find_in_own_event(event: Event) -> list[ImageReference]:
    """The images of a ``message_sent`` event: what this bot's account sent, from any device.

    NoneBot has no model for such events; their fields are as the peer sent them.
    """
    if event.get_type() != "message_sent":
        return []
    fields = _fields(event)
    message_id, self_id = fields.get("message_id"), fields.get("self_id")
    if message_id is None:
        return []
    return _own(find_in_message(segments_of(fields.get("message")), str(self_id), str(message_id)))


def find_sent(self_id: str, params: Mapping[str, Any], result: object) -> list[ImageReference]:
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
    return _own(find_in_message(segments, self_id, str(message_id)))


def segments_of(content: object) -> Iterable[object]:
    """The segments of a message's content, which may be a message, a list, or CQ codes."""
    if isinstance(content, str):
        return Message(content)
    if isinstance(content, (MessageSegment, Mapping)):
        return [cast(object, content)]
    return cast(list[object], content) if isinstance(content, list) else []


def _own(references: list[ImageReference]) -> list[ImageReference]:
    return [
        reference if reference.face_id else replace(reference, own=True) for reference in references
    ]


def _fields(model: object) -> dict[str, Any]:
    """Every field of a model; pydantic 2 keeps those apart that the model does not declare."""
    extra = cast(dict[str, Any], getattr(model, "__pydantic_extra__", None) or {})
    return {**vars(model), **extra}
