"""Congestion: what could not be done at once, counted, and told of once a minute."""

import asyncio
from collections import Counter
from collections.abc import Callable

from ...language import Text, say, with_commas
from ...log import logger

_GATHER = 1.0
"""Seconds from the first to what is told of it, for it seldom stays alone."""
_INTERVAL = 60.0
"""Seconds from one line to the next."""
_WORDS = {
    "flights": Text("as many are under way as one chat, one bot and all together may have"),
    "memory": Text("QQIMAGE__MAX_BYTES_IN_FLIGHT allows no more at once"),
    "turn": Text("others were ahead of them for too long"),
    "queue": Text("too many wait already"),
    "links": Text("they waited until their links must have died"),
}


def in_words(cause: str) -> str:
    """Why images had to wait or were left out, as people read it."""
    return _WORDS.get(cause, cause)


class Congestion:
    """Counts images that have to wait, and those left out, by why.

    Args:
        count: counts one of a kind and a cause, for good.
    """

    def __init__(self, count: Callable[[str, str], None]) -> None:
        self._count = count
        self._delayed: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._not_before = 0.0

    def delayed(self, cause: str) -> None:
        """An image has to wait until there is room; it is tried again then."""
        self._delayed[cause] += 1
        self._count("delayed", cause)
        self._tell_soon()

    def left_out(self, cause: str) -> None:
        """An image is not fetched in advance any more; asking for it does it."""
        self._left_out[cause] += 1
        self._count("left out", cause)
        self._tell_soon()

    def close(self) -> None:
        """Tell of nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _tell_soon(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            due = max(loop.time() + _GATHER, self._not_before)
            self._timer = loop.call_at(due, self._tell)

    def _tell(self) -> None:
        self._timer = None
        self._not_before = asyncio.get_running_loop().time() + _INTERVAL
        if self._delayed:
            logger.warning(
                say(
                    "qqimage: {count} images have to wait until others are done: {why}; they are "
                    "fetched in turn while their links live",
                    count=self._delayed.total(),
                    why=_causes(self._delayed),
                )
            )
        if self._left_out:
            logger.warning(
                say(
                    "qqimage: {count} images are not fetched in advance: {why}",
                    count=self._left_out.total(),
                    why=_causes(self._left_out),
                )
            )
        self._delayed.clear()
        self._left_out.clear()


def _causes(counted: Counter[str]) -> str:
    return with_commas(
        Text("{why} ({count})", why=in_words(cause), count=count)
        for cause, count in counted.most_common()
    )
