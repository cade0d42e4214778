"""`Arrivals`: when the latest messages arrived here, and those that have not been read so far."""

import asyncio
import time
from collections.abc import Callable

from cachetools import LRUCache
from nonebot.adapters import Event

from ..language import say
from ..log import logger
from ..threads import on_event_loop

_MAX = 4096
"""Messages whose arrival is remembered; handlers ask a moment after theirs has come."""
_PAUSE = 0.005
"""Seconds until a message is read; most first matchers have answered by then. No large one waits
with others, for parsing its frame takes longer than that."""
_MAX_UNREAD = 32
"""Messages that are read together, in about a millisecond."""


class Arrivals:
    """Remembers when the latest messages arrived here, and reads them a moment later.

    Whoever answers a message goes first, for reading it takes a tenth of the time until then. What
    depends on all that has come calls `catch_up` before.
    """

    def __init__(self) -> None:
        self._when: LRUCache[tuple[str, str], float] = LRUCache(_MAX)
        self._unread: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None

    def note(self, self_id: str, message_id: str) -> None:
        """Take note that a message, or an event about one, has come, before its images are seen.

        Args:
            self_id: the bot that received it.
            message_id: the message.
        """
        self._when[self_id, message_id] = time.time()

    def note_event(self, event: Event) -> None:
        """Take note that an event which is no message has just arrived."""
        if message_id := message_id_of(event):
            self.catch_up()
            self.note(str(getattr(event, "self_id", "")), message_id)

    def of(self, event: Event) -> float:
        """When an event arrived, in seconds since the epoch.

        It is now for one that is no message, and for a message that nobody noted the end of the
        second that it was sent in, as the implementation says.
        """
        self.catch_up()
        message_id = message_id_of(event)
        if not message_id:
            return time.time()
        noted = self._when.get((str(getattr(event, "self_id", "")), message_id))
        return noted or float(getattr(event, "time", 0)) + 1

    def read_later(self, read: Callable[[], None]) -> None:
        """Have a message read a moment later, after all that came before it.

        Args:
            read: reads it. What it raises is logged.
        """
        self._unread.append(read)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_PAUSE, self.catch_up)
        elif len(self._unread) >= _MAX_UNREAD:
            self.catch_up()

    def catch_up(self) -> None:
        """Read what has arrived; elsewhere than on the event loop, that is left for later."""
        if self._timer is None or not on_event_loop():
            return
        self._timer.cancel()
        self._timer = None
        unread, self._unread = self._unread, []
        for read in unread:
            try:
                read()
            except Exception:  # noqa: BLE001  whoever catches up has other things to do
                logger.exception(say("qqimage: {where} failed, please report it", where="intake"))


def message_id_of(event: Event) -> str:
    """The id of an event's message; empty where it has none."""
    message_id = getattr(event, "message_id", None)
    return "" if message_id is None else str(message_id)
