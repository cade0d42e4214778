"""What was seen, as handlers ask for it: the latest images of a chat, those of a quoted message."""

import time

from cachetools import LRUCache
from nonebot.adapters import Event
from nonebot.adapters.onebot.v11 import MessageEvent

from ..messages.chats import chat_of
from ..messages.events import of_one_message, quoted_id
from ..messages.sighting import Sighting
from .image_store import ImageStore

_MAX_ARRIVALS = 4096
"""Messages whose arrival is remembered; handlers ask a moment after theirs has come."""
_MAX = 200
"""Images of one message that are looked for, those of another message with its id included."""


class Arrivals:
    """Remembers when the latest messages arrived here."""

    def __init__(self) -> None:
        self._when: LRUCache[tuple[str, str], float] = LRUCache(_MAX_ARRIVALS)

    def note(self, event: Event) -> None:
        """Take note that an event has just arrived, before any image of it is seen."""
        if message_id := message_id_of(event):
            self._when[str(getattr(event, "self_id", "")), message_id] = time.time()

    def of(self, event: Event) -> float:
        """When an event arrived, in seconds since the epoch.

        It is now for one that is no message, and for a message that nobody noted the end of the
        second that it was sent in, as the implementation says.
        """
        message_id = message_id_of(event)
        if not message_id:
            return time.time()
        noted = self._when.get((str(getattr(event, "self_id", "")), message_id))
        return noted or float(getattr(event, "time", 0)) + 1


def message_id_of(event: Event) -> str:
    """The id of an event's message; empty where it has none."""
    message_id = getattr(event, "message_id", None)
    return "" if message_id is None else str(message_id)


async def seen_in_quoted(store: ImageStore, event: MessageEvent) -> list[Sighting]:
    """The images of the message that an event's message quotes, as they were seen when it came.

    Raises:
        StoreError: the store cannot be read.
    """
    message_id = quoted_id(event)
    if not message_id:
        return []
    bot, chat = str(event.self_id), chat_of(event)
    found = await store.sightings(bot=bot, chat=chat, message_id=message_id, limit=_MAX)
    sender = str((event.reply and event.reply.sender.user_id) or "")
    # ids come again, so it must be a message of the same sender, where anybody says whose it is
    return [each for each in of_one_message(found) if sender in ("", each.user) or not each.user]


async def latest_seen(
    store: ImageStore,
    bot: str,
    chat: str,
    n: int,
    *,
    own: bool,
    distinct: bool,
    before: tuple[float, str] | None,
) -> list[Sighting]:
    """The last images of a chat, the latest first.

    Args:
        store: where they were written down.
        bot: the bot that saw them.
        chat: the chat, as in `Sighting.chat`.
        n: how many at most.
        own: also what the bot has sent.
        distinct: each image once, however often it was sent.
        before: when a message arrived (seconds since the epoch), and its id: only what came before.

    Raises:
        StoreError: the store cannot be read.
    """
    arrived, message_id = before or (None, "")
    limit = n + _MAX if before else n
    while True:
        seen = await store.sightings(
            bot=bot,
            chat=chat,
            not_by=None if own else bot,
            arrived_by=arrived,
            limit=limit,
        )
        found: dict[object, Sighting] = {}
        for number, each in enumerate(seen):
            if not before or each.reference.message_id != message_id:
                found.setdefault((each.sha256 or each.reference.key) if distinct else number, each)
        if len(found) >= n or len(seen) < limit:
            return [*found.values()][:n]
        limit *= 4
