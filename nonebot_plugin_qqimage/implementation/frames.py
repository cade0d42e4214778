"""Which answers would break a bot's connection, for they hold pictures larger than a frame."""

from functools import cached_property

from nonebot.adapters.onebot.v11 import Bot

from ..language import Text, say
from ..log import logger
from .connection import driver_of
from .frame_limit import frame_limit
from .profile import SUSPECT, ConnectionHistory, Profile, inlined_size

_LARGE = 16 << 20
"""Bytes of a frame that nearly every picture fits into as base64."""


class Frames:
    """Judges what may be asked for over one connection.

    Args:
        bot: the connected bot.
        profile: what is known of the implementation.
        history: what was learned from the bot's earlier connections.
        limit: bytes of the largest answer that the connection survives, if the operator knows.
    """

    def __init__(
        self, bot: Bot, profile: Profile, history: ConnectionHistory, limit: int | None
    ) -> None:
        self._bot = bot
        self._profile = profile
        self._history = history
        self._given = limit

    @property
    def limit(self) -> int | None:
        """Bytes of the largest answer that the connection survives; None if no limit is known."""
        return self._given or frame_limit(self._bot)

    @property
    def broken_by(self) -> int | None:
        """Bytes of an answer that are thought to have broken such a connection; None for none."""
        same = self._history.connection == self._connection
        return self._history.frame_limit if same else None

    def suspects(self, file: str) -> bool:
        """Whether a connection of this kind broke while this file was being asked for."""
        return self._history.suspects(file, self._connection)

    def fits(self, file: str, size: int | None) -> bool:
        """Whether an answer with this file in it is known to break nothing.

        Args:
            file: its name.
            size: bytes that the segment or its link declares.
        """
        size, limit = self._size(file, size), self._proven_limit
        return not self.suspects(file) and (
            limit is None or (size is not None and inlined_size(size) <= limit)
        )

    def danger(self, file: str, size: int | None, *, last_way: bool) -> str:
        """Why asking for a file that may not fit could break the connection; empty if it cannot.

        Args:
            file: its name.
            size: bytes that the segment or its link declares.
            last_way: whether the image is lost otherwise, which is worth a small risk.
        """
        size, limit, inlines = self._size(file, size), self._proven_limit, self._profile.inlines
        if inlines is False:
            return ""
        if limit is None or self.suspects(file):
            return Text("the connection broke when it was asked for before")
        if size is None:
            if not inlines or (last_way and limit >= _LARGE):
                return ""
            self._warn(limit)
            return Text(
                "an answer with a picture of unknown size in it may not fit the {limit} bytes of a "
                "frame",
                limit=limit,
            )
        if inlines is None and self._history.inlines.get(self._profile.name) is False:
            return ""  # for none did over the connection before
        self._warn(limit)
        if inlines is None:
            return Text(
                "an answer with a picture of {size} bytes in it would not fit the {limit} bytes of "
                "a frame, and no smaller picture has shown yet whether answers hold any",
                size=size,
                limit=limit,
            )
        return Text(
            "an answer with a picture of {size} bytes in it does not fit the {limit} bytes of a "
            "frame",
            size=size,
            limit=limit,
        )

    def lost(self, file: str, size: int | None) -> None:
        """Learn that the connection broke while a file was asked for: maybe because of it.

        Args:
            file: its name.
            size: bytes that the segment or its link declares.
        """
        size = self._size(file, size)
        if self._profile.inlines is not False and (size is None or size >= SUSPECT):
            self._history.add_break(file, size, self._connection)

    def remember_inlining(self) -> None:
        """Remember for later connections whether answers hold pictures, as far as known."""
        if self._profile.name and self._profile.inlines is not None:
            self._history.add_inlining(self._profile.name, self._profile.inlines)

    def _size(self, file: str, size: int | None) -> int | None:
        return size or self._history.sizes.get(file)

    @cached_property
    def _connection(self) -> str:
        """The kind of the connection: what one of another limit did says nothing about it.

        It is asked for before the connection can break, and not known any more afterwards.
        """
        return f"{driver_of(self._bot)} {self.limit or ''}".strip()

    @property
    def _proven_limit(self) -> int | None:
        """The limit, or what has broken such a connection before."""
        limits = (self.limit, self.broken_by)
        return min((limit for limit in limits if limit is not None), default=None)

    def _warn(self, limit: int) -> None:
        inlines = self._profile.inlines
        if inlines in self._history.warned:
            return
        self._history.warned.add(inlines)
        known = Text("its answers hold pictures as base64, so large ones are not asked for")
        unknown = Text(
            "whether its answers hold pictures is not known yet, so large ones are not asked for "
            "until a smaller one has shown it"
        )
        logger.warning(
            say(
                "qqimage: bot {bot}: answers over {limit} bytes would break its connection; "
                "{known}. To allow more, connect by reverse WebSocket (16 MiB) or DRIVER=~aiohttp "
                "(4 MiB); if you have raised the limit already, say so in QQIMAGE__FRAME_LIMIT",
                bot=self._bot.self_id,
                limit=limit,
                known=known if inlines else unknown,
            )
        )
