"""The implementations of all connected bots, and what is remembered when they reconnect."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from weakref import WeakKeyDictionary

from nonebot.adapters import Bot as BaseBot
from nonebot.adapters.onebot.v11 import Bot

from .implementation import Implementation
from .profile import ConnectionHistory


class Implementations:
    """The implementations of all connected bots.

    Args:
        bots: gives the connected bots by their id; it is asked anew each time.
        frame_limit: bytes of the largest answer any connection survives, if the operator knows.
    """

    def __init__(
        self, bots: Callable[[], Mapping[str, BaseBot]], frame_limit: int | None = None
    ) -> None:
        self._bots = bots
        self._frame_limit = frame_limit
        self._implementations: WeakKeyDictionary[Bot, Implementation] = WeakKeyDictionary()
        self.histories: defaultdict[str, ConnectionHistory] = defaultdict(ConnectionHistory)
        """What was learned from the connections of each bot, by its id."""

    @property
    def bots(self) -> list[Bot]:
        """The connected bots that speak OneBot v11."""
        return [bot for bot in self._bots().values() if isinstance(bot, Bot)]

    @property
    def connected(self) -> list[Implementation]:
        """The implementations of these bots."""
        return [self.of(bot) for bot in self.bots]

    def find(self, self_id: str) -> Implementation | None:
        """The implementation of a connected bot.

        Args:
            self_id: the bot's id.

        Returns:
            None where no such bot is connected, or it speaks another protocol.
        """
        bot = self._bots().get(self_id)
        return self.of(bot) if isinstance(bot, Bot) else None

    def of(self, bot: Bot) -> Implementation:
        """The implementation of a bot; a new one after each connection."""
        implementation = self._implementations.get(bot)
        if implementation is None:
            history = self.histories[bot.self_id]
            implementation = Implementation(bot, history, self._frame_limit)
            self._implementations[bot] = implementation
        return implementation

    def disconnected(self, bot: Bot) -> None:
        """End the calls of a bot whose connection is gone, and forget what it could do."""
        implementation = self._implementations.pop(bot, None)
        if implementation is not None:
            implementation.disconnected()
