"""What is read of events and calls: the images of messages received, uploaded and sent."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, cast

from nonebot.adapters import Event
from nonebot.adapters.onebot.v11 import GroupUploadNoticeEvent, MessageEvent

from .arrived import Arrived, sent_at
from .chats import chat_in, chat_of, chat_of_call, fields_of, group_chat
from .reader import Reader, find_in_message, found_in
from .reference import ImageReference
from .segments import from_shared_file, id_in, parts_of
from .sighting import Sighting


def find_in_event(event: Event) -> tuple[list[ImageReference], list[ImageReference]]:
    """The images of an event's message, and those of the message it quotes.

    An image that was uploaded to a group's files counts as the event's own.
    """
    if isinstance(event, MessageEvent):
        return Arrived.of(event).references()
    return [sighting.reference for sighting in find_upload(event)], []


def quoted_id(event: MessageEvent) -> str:
    """The id of the message that an event's message quotes; empty where it quotes none.

    NoneBot takes the ``reply`` segment out of `message`, and `reply` is empty where ``get_msg``
    failed, or answered what NoneBot cannot read; `original_message` has the segment always.
    """
    for segment in [*event.original_message, *event.message]:
        kind, data = parts_of(segment)
        if kind == "reply" and (message_id := id_in(data)):
            return message_id
    return str(event.reply.message_id) if event.reply is not None else ""


def of_one_message(found: Iterable[Sighting]) -> list[Sighting]:
    """The images of the message that came last, in their order there.

    Args:
        found: what was seen under one message id, the latest first. Ids come again, so there may be
            several messages: each one ends with its first image.
    """
    last: list[Sighting] = []
    for sighting in found:
        if last and sighting.reference.position >= last[-1].reference.position:
            break
        last.append(sighting)
    return last[::-1]


def find_upload(event: Event) -> list[Sighting]:
    """Where the image was seen that was uploaded to a group's files, if it is one."""
    if not isinstance(event, GroupUploadNoticeEvent):
        return []
    reference = from_shared_file(fields_of(event.file), str(event.self_id), event.group_id)
    if reference is None:
        return []
    return [
        Sighting(reference, group_chat(event.group_id), str(event.user_id), sent_at(event.time))
    ]


def seen_forwarded(event: MessageEvent, references: list[ImageReference]) -> list[Sighting]:
    """Where the images in the records that an event forwards were seen: in the event's chat."""
    chat, user, sent = chat_of(event), str(event.user_id), sent_at(event.time)
    return [Sighting(each, chat, user, sent) for each in references]


def find_in_own_event(event: Event) -> list[Sighting]:
    """The images of a ``message_sent`` event: what this bot's account sent, from any device.

    NoneBot has no model for such events; their fields are as the implementation sent them.
    """
    if event.get_type() != "message_sent":
        return []
    fields = fields_of(event)
    message_id, self_id = fields.get("message_id"), str(fields.get("self_id"))
    if message_id is None:
        return []
    chat = chat_in(fields)
    found = find_in_message(fields.get("message"), self_id, str(message_id), chat=chat, own=True)
    now = sent_at(fields.get("time"))
    return [Sighting(each, chat, self_id, now) for each in found]


def find_sent(
    self_id: str,
    params: Mapping[str, Any],
    result: object,
    api: str = "",
    event: Event | None = None,
) -> list[Sighting]:
    """The images of a message this bot has just sent, those in the nodes of a record included.

    Args:
        self_id: the bot.
        params: the parameters of the ``send_…`` action.
        result: its answer.
        api: the action.
        event: what is being handled.
    """
    if not isinstance(result, Mapping):
        return []
    message_id = cast(Mapping[str, Any], result).get("message_id")
    if message_id is None:
        return []
    nodes = params.get("messages")
    content = cast(object, nodes) if isinstance(nodes, list) else params.get("message")
    if isinstance(content, str) and params.get("auto_escape"):
        return []  # text, whatever it looks like
    chat = chat_of_call(api, params, event)
    walk = Reader(self_id, chat=chat, own=True, sent=True).message(content, str(message_id))
    now = time.time()
    return [Sighting(each.reference, chat, self_id, now) for each in found_in(walk)]
