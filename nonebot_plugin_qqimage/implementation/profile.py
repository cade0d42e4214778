"""What is known of an implementation: from what it says it is, corrected by what it does."""

import time
from dataclasses import dataclass, field

from cachetools import LRUCache

_TIMEOUTS = 2
"""Calls in a row without an answer after which an implementation counts as unresponsive."""
_UNRESPONSIVE_FOR = 60.0
"""Seconds after which an unresponsive implementation is given another chance."""
_UNREADABLE = 2
"""Files in a row that could not be read here, after which none is expected to be."""
_MAX_BROKE_ON = 1024
"""Files remembered of one bot. There are as many only where connections break all the time."""
_SUSPECT = 256 * 1024
"""Bytes: a smaller picture's answer is not what breaks a connection."""


def _broke_on() -> LRUCache[str, None]:
    return LRUCache(_MAX_BROKE_ON)


@dataclass
class ConnectionHistory:
    """What went wrong with a bot's connections. It outlasts each of them."""

    broke_on: LRUCache[str, None] = field(default_factory=_broke_on)
    """Files that were being asked for when a connection broke."""
    frame_limit: int | None = None
    """Bytes of an answer that are thought to have broken a connection."""
    warned: bool = False
    """Whether the operator has been told of the frame limit."""

    def add_break(self, file: str, size: int | None) -> None:
        """Remember what was being asked for when a connection broke.

        Args:
            file: its name or id.
            size: bytes that its segment declares.
        """
        self.broke_on[file] = None
        if size is not None and size >= _SUSPECT:
            self.frame_limit = min(inlined_size(size) - 1, self.frame_limit or inlined_size(size))


class Profile:
    """What the implementation at the other end of one connection is and does."""

    def __init__(self) -> None:
        self.name = ""
        """What it calls itself, such as ``NapCat.Onebot``; empty until it has said so."""
        self.version: tuple[int, ...] = ()
        """Its version, such as ``(4, 18, 19)``."""
        self.inlines: bool | None = None
        """Whether its answers hold pictures as base64; None while nothing is known."""
        self.reads_files: bool | None = None
        """Whether the last file it named could be read here; None while it has named none."""
        self.unreadable = ""
        """The last file it named that could not be read here."""
        self._unreadable = 0
        self._timeouts = 0
        self._last_timeout = 0.0

    def identify(self, name: str, version: tuple[int, ...]) -> None:
        """Learn what it calls itself, and its version."""
        self.name, self.version = name, version
        if self.inlines is None and self._never_inlines():
            self.inlines = False

    def _never_inlines(self) -> bool:
        # up to 3.28 and in 3.29.0, LLOneBot did so by a setting
        return self.name in ("Lagrange.OneBot", "SnowLuma", "go-cqhttp") or (
            self.name == "LLOneBot" and self.version > (3, 29, 0)
        )

    @property
    def can_skip_download(self) -> bool:
        """Whether it can be asked for a fresh URL alone (``download: false``)."""
        return self.name == "LLOneBot" and self.version >= (7, 6, 0)

    @property
    def files_unreadable(self) -> bool:
        """Whether its files have turned out not to be readable here."""
        return self._unreadable >= _UNREADABLE

    @property
    def unresponsive(self) -> bool:
        """Whether other sources should be tried before its ``get_image`` at the moment."""
        recently = time.monotonic() - self._last_timeout < _UNRESPONSIVE_FOR
        return self._timeouts >= _TIMEOUTS and recently

    def file_read(self) -> None:
        """Learn that a file it named could be read here."""
        self.reads_files, self.unreadable, self._unreadable = True, "", 0

    def file_not_readable(self, named: str) -> None:
        """Learn that a file it named could not be read here."""
        self.reads_files, self.unreadable = False, named
        self._unreadable += 1

    def answered(self) -> None:
        """Learn that it has answered ``get_image``, whatever it said."""
        self._timeouts = 0

    def timed_out(self) -> None:
        """Learn that it has not answered ``get_image`` in time."""
        self._timeouts += 1
        self._last_timeout = time.monotonic()


def inlined_size(size: int) -> int:
    """Bytes of an answer that holds a picture as base64, and of what is around it.

    Args:
        size: bytes of the picture.
    """
    return (size + 2) // 3 * 4 + 2048
