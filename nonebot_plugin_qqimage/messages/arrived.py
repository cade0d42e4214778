"""`Arrived`: a received message as it was when it came, to be read a moment later."""

import time
from typing import NamedTuple, cast

from nonebot.adapters.onebot.v11 import GroupMessageEvent, MessageEvent, MessageSegment

from .chats import chat_of
from .reader import find_in_message
from .reference import ImageReference
from .sighting import Sighting
from .texts.served import ServedText

_PLAIN = frozenset((str, int, float, bool, type(None), ServedText))
"""Types of values that nobody can change."""


class Said(NamedTuple):
    """One message: the one that has come, or the one that it quotes."""

    message_id: str
    """Its id."""
    user: str
    """Who sent it; empty where it does not say so."""
    time: object
    """When it was sent, as the implementation says."""
    content: object
    """What it consists of."""


class Arrived(NamedTuple):
    """A message that has come, with all that is read of its event."""

    self_id: str
    """The bot that received it."""
    chat: str
    """The chat, as in `Sighting.chat`."""
    group_id: int
    """The group; 0 where it came from none."""
    own: Said
    """The message itself."""
    quoted: Said | None
    """The one that it quotes, as far as the event holds it."""

    @classmethod
    def of(cls, event: MessageEvent) -> "Arrived":
        """The message of an event, whose content is still that of the event."""
        group_id = event.group_id if isinstance(event, GroupMessageEvent) else 0
        own = Said(str(event.message_id), str(event.user_id), event.time, event.message)
        quoted = None if event.reply is None else _quoted(event.reply)
        return cls(str(event.self_id), chat_of(event), group_id, own, quoted)

    def copied(self) -> "Arrived | None":
        """One that stays as it is, whatever handlers do to the event.

        It takes some microseconds; to read a message takes ten times as long.

        Returns:
            None where the content is anything but segments with plain values, as records are.
        """
        own, quoted = _copied(self.own), self.quoted and _copied(self.quoted)
        if own is None or (quoted is None and self.quoted is not None):
            return None
        return Arrived(self.self_id, self.chat, self.group_id, own, quoted)

    @property
    def is_own(self) -> bool:
        """Whether this bot sent it."""
        return self.own.user == self.self_id

    def references(self) -> tuple[list[ImageReference], list[ImageReference]]:
        """The images of the message, and those of the one that it quotes."""
        return self._in(self.own), self._in(self.quoted) if self.quoted else []

    def sightings(self) -> list[Sighting]:
        """Where these images were seen: its own, then the quoted ones."""
        return [
            Sighting(each, self.chat, said.user, sent_at(said.time))
            for said in (self.own, self.quoted)
            if said is not None
            for each in self._in(said)
        ]

    def _in(self, said: Said) -> list[ImageReference]:
        where = self.self_id, said.message_id, self.group_id
        by_bot = said.user == self.self_id
        return find_in_message(said.content, *where, chat=self.chat, own=by_bot)


def _quoted(reply: object) -> Said:
    """The quoted message, of which another plugin may have made anything."""
    message_id, sender = getattr(reply, "message_id", ""), getattr(reply, "sender", None)
    user = str(getattr(sender, "user_id", None) or "")
    return Said(str(message_id), user, getattr(reply, "time", 0), getattr(reply, "message", None))


def sent_at(value: object) -> float:
    """When a message was sent, as the implementation says; now, if that makes no sense."""
    now = time.time()
    return float(value) if isinstance(value, (int, float)) and 0 < value < now else now


def _copied(said: Said) -> Said | None:
    content = said.content
    if not isinstance(content, list):
        return None
    segments: list[MessageSegment] = []
    for each in cast(list[object], content):
        if not isinstance(each, MessageSegment) or not _PLAIN.issuperset(
            map(type, each.data.values())
        ):
            return None
        segments.append(MessageSegment(each.type, {**each.data}))
    return Said(said.message_id, said.user, said.time, segments)
