"""The peers of all connected bots, and what outlasts their connections."""

from collections import defaultdict
from weakref import WeakKeyDictionary

from nonebot.adapters.onebot.v11 import Bot

from .peer import Peer
from .profile import Grudges


class Peers:
    """The peers of all connected bots.

    Args:
        frame_limit: bytes of the largest answer any connection survives, if the operator knows.
    """

    def __init__(self, frame_limit: int | None = None) -> None:
        self._frame_limit = frame_limit
        self._peers: WeakKeyDictionary[Bot, Peer] = WeakKeyDictionary()
        self._grudges: defaultdict[str, Grudges] = defaultdict(Grudges)

    def of(self, bot: Bot) -> Peer:
        """The peer of a bot; a new one after each connection."""
        peer = self._peers.get(bot)
        if peer is None:
            grudges = self._grudges[bot.self_id]
            peer = self._peers[bot] = Peer(bot, grudges, self._frame_limit)
        return peer

    def disconnected(self, bot: Bot) -> None:
        """End the calls of a bot whose connection is gone, and forget what it could do."""
        peer = self._peers.pop(bot, None)
        if peer is not None:
            peer.disconnected()
