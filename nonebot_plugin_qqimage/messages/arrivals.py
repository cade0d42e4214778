"""`Arrivals`: when the latest messages arrived here, whatever they say themselves."""

import time

from cachetools import LRUCache
from nonebot.adapters import Event

_MAX = 4096
"""Messages whose arrival is remembered; handlers ask a moment after theirs has come."""


class Arrivals:
    """Remembers when the latest messages arrived here."""

    def __init__(self) -> None:
        self._when: LRUCache[tuple[str, str], float] = LRUCache(_MAX)

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
