"""`Arrived`: a received message as it was when it came, to be read a moment later."""

import time
from typing import Any, NamedTuple

from nonebot.adapters.onebot.v11 import MessageEvent, MessageSegment
from nonebot.adapters.onebot.v11.event import Reply

from .chats import chat_in, fields_of
from .contents import segments_of
from .reader import find_in_message
from .reference import ImageReference
from .sighting import Sighting


class Arrived(NamedTuple):
    """A message that has come. Handlers may change the event, which does not change this.

    To make one takes some microseconds, and to read it ten times as long.
    """

    fields: dict[str, Any]
    """Those of the event."""
    segments: list[object]
    """What the message consists of."""
    quoted: list[object]
    """What the message consists of that it quotes, as far as the event holds it."""
    at: float
    """When it came, in seconds since the epoch."""

    @classmethod
    def of(cls, event: MessageEvent, *, copied: bool = True) -> "Arrived":
        """The message of an event.

        Args:
            event: the event.
            copied: whether its segments are copied, so that they may be changed.
        """
        reply = event.reply
        quoted = [] if reply is None else _segments(reply.message, copied)
        return cls(fields_of(event), _segments(event.message, copied), quoted, time.time())

    @property
    def is_own(self) -> bool:
        """Whether this bot sent it."""
        return str(self.fields["user_id"]) == self.self_id

    @property
    def self_id(self) -> str:
        """The bot that received it."""
        return str(self.fields["self_id"])

    def references(self) -> tuple[list[ImageReference], list[ImageReference]]:
        """The images of the message, and those of the one that it quotes."""
        message_id, reply = self.fields["message_id"], self._reply
        own = self._found(self.segments, message_id, self.is_own)
        if reply is None:
            return own, []
        by_bot = str(reply.sender.user_id) == self.self_id
        return own, self._found(self.quoted, reply.message_id, by_bot)

    def sightings(self) -> list[Sighting]:
        """Where these images were seen: its own, then the quoted ones."""
        (own, quoted), reply = self.references(), self._reply
        user, sent = str(self.fields["user_id"]), sent_at(self.fields["time"])
        found = [Sighting(each, self._chat, user, sent, arrived=self.at) for each in own]
        if quoted and reply is not None:
            user, sent = str(reply.sender.user_id or ""), sent_at(reply.time)
            found += [Sighting(each, self._chat, user, sent, arrived=self.at) for each in quoted]
        return found

    def _found(self, segments: list[object], message_id: object, own: bool) -> list[ImageReference]:
        group_id = self.fields["group_id"] if self.fields["message_type"] == "group" else 0
        where = self.self_id, str(message_id), group_id
        return find_in_message(segments, *where, chat=self._chat, own=own)

    @property
    def _chat(self) -> str:
        return chat_in(self.fields)

    @property
    def _reply(self) -> Reply | None:
        return self.fields["reply"]


def sent_at(value: object) -> float:
    """When a message was sent, as the implementation says; now, if that makes no sense."""
    now = time.time()
    return float(value) if isinstance(value, (int, float)) and 0 < value < now else now


def _segments(message: object, copied: bool) -> list[object]:
    return [
        MessageSegment(each.type, {**each.data})
        if copied and isinstance(each, MessageSegment)
        else each
        for each in segments_of(message)
    ]
