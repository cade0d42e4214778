"""Finding references: in events, messages, quoted messages, and in what this bot sends."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, cast

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

_KINDS = ("image", "mface", "file")
_MAX_IMAGES = 100
"""Images looked at in one message; QQ itself allows far fewer."""


class Candidates(NamedTuple):
    """Segments of a message that may be images, and where they stand.

    They are taken out of an event at once, so that a closer look can be taken later, when others
    may have changed it.
    """

    segments: list[object]
    self_id: object
    message_id: object
    group_id: int
    """0 in a private chat."""
    chat: str
    user: object
    """Who sent the message."""
    time: object
    """When, as the implementation says."""

    def references(self) -> list[ImageReference]:
        """The images among them."""
        return find_in_message(
            self.segments, str(self.self_id), str(self.message_id), self.group_id
        )

    def sightings(self, references: Iterable[ImageReference]) -> list[Sighting]:
        """Where these were seen, but for those that stand in no message: nobody finds them again.

        Args:
            references: what `references` gave.
        """
        user, sent = str(self.user or ""), _time(self.time)
        return [Sighting(each, self.chat, user, sent) for each in references if each.message_id]


def candidates(event: Event) -> list[Candidates]:
    """What of an event's message, and of the one it quotes, is worth a closer look.

    Shared files that are images by their name count, too. It is quick, for everybody waits for it.
    """
    if not isinstance(event, MessageEvent):
        return []
    return [found for found in (_in_message(event), _in_quoted(event)) if found is not None]


def find_in_event(event: Event) -> tuple[list[ImageReference], list[ImageReference]]:
    """The images of an event's message, and those of the message it quotes.

    One that was uploaded counts as the event's.
    """
    if not isinstance(event, MessageEvent):
        return [sighting.reference for sighting in find_upload(event)], []
    own, quoted = _in_message(event), _in_quoted(event)
    return own.references() if own else [], quoted.references() if quoted else []


def find_upload(event: Event) -> list[Sighting]:
    """The image that was uploaded to a group's files, if this is what the event tells of."""
    if not isinstance(event, GroupUploadNoticeEvent):
        return []
    reference = from_shared_file(_fields(event.file), str(event.self_id), event.group_id)
    if reference is None:
        return []
    return [Sighting(reference, group_chat(event.group_id), str(event.user_id), _time(event.time))]


def _in_message(event: MessageEvent) -> Candidates | None:
    segments = _worth_a_look(event.message)
    if not segments:
        return None
    place = event.self_id, event.message_id, _group_of(event), chat_of(event)
    return Candidates(segments, *place, event.user_id, event.time)


def _in_quoted(event: MessageEvent) -> Candidates | None:
    reply = event.reply
    segments = [] if reply is None else _worth_a_look(reply.message)
    if not segments or reply is None:
        return None
    place = event.self_id, reply.message_id, _group_of(event), chat_of(event)
    return Candidates(segments, *place, reply.sender.user_id, reply.time)


def _worth_a_look(message: Iterable[object]) -> list[object]:
    return [segment for segment in message if getattr(segment, "type", "") in _KINDS]


def _group_of(event: MessageEvent) -> int:
    return event.group_id if isinstance(event, GroupMessageEvent) else 0


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

    NoneBot has no model for such events; their fields are as the implementation sent them.
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
    """When a message was sent, as the implementation says; now, if that makes no sense."""
    now = time.time()
    return float(value) if isinstance(value, (int, float)) and 0 < value < now else now


def _fields(model: object) -> dict[str, Any]:
    """Every field of a model; pydantic 2 keeps those apart that the model does not declare."""
    extra = cast(dict[str, Any], getattr(model, "__pydantic_extra__", None) or {})
    return {**vars(model), **extra}
