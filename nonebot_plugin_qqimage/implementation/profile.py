"""What is known of an implementation: from what it says it is, corrected by what it does."""

import time
from collections import OrderedDict
from dataclasses import dataclass, field

_HANGS = 2
"""Calls in a row without an answer after which an implementation counts as hanging."""
_HANG_MEMORY = 60.0
"""Seconds until it is trusted again."""
_UNREADABLE = 2
"""Files in a row that could not be read here, after which none is expected to be."""
_MAX_DROPPED = 1024
_SUSPECT = 256 * 1024
"""Bytes: a smaller picture's answer is not what breaks a connection."""


@dataclass
class Grudges:
    """What went wrong with a bot's connections. Outlasts each of them."""

    dropped: OrderedDict[str, None] = field(default_factory=OrderedDict[str, None])
    """Files that were being asked for when a connection broke."""
    frame_limit: int | None = None
    """Bytes of an answer that are thought to have broken a connection."""
    warned: bool = False
    """Whether the operator has been told of the frame limit."""

    def add(self, file: str, size: int | None) -> None:
        """Remember what was being asked for when the connection broke."""
        self.dropped[file] = None
        if len(self.dropped) > _MAX_DROPPED:
            self.dropped.popitem(last=False)
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
        self._hangs = 0
        self._hung = 0.0

    def introduce(self, name: str, version: tuple[int, ...]) -> None:
        """Learn what it calls itself, and its version."""
        self.name, self.version = name, version
        if self.inlines is None and self._never_inlines():
            self.inlines = False

    def _never_inlines(self) -> bool:
        # up to 3.28 and in 3.29.0, LLOneBot did so by a setting
        return self.name in ("Lagrange.OneBot", "go-cqhttp") or (
            self.name == "LLOneBot" and self.version > (3, 29, 0)
        )

    @property
    def can_skip_download(self) -> bool:
        """Whether it can be asked for a fresh URL alone (``download: false``)."""
        return self.name == "LLOneBot" and self.version >= (7, 6, 0)

    @property
    def files_are_foreign(self) -> bool:
        """Whether its files have turned out not to be readable here."""
        return self._unreadable >= _UNREADABLE

    @property
    def hangs(self) -> bool:
        """Whether its ``get_image`` had better not be waited for at the moment."""
        return self._hangs >= _HANGS and time.monotonic() - self._hung < _HANG_MEMORY

    def file_was_read(self, readable: bool, named: str = "") -> None:
        """Learn whether a file it named could be read here."""
        self.reads_files = readable
        self.unreadable = "" if readable else named
        self._unreadable = 0 if readable else self._unreadable + 1

    def answered(self) -> None:
        """Learn that it has answered ``get_image``, whatever it said."""
        self._hangs = 0

    def hung(self) -> None:
        """Learn that it has not answered ``get_image`` in time."""
        self._hangs += 1
        self._hung = time.monotonic()


def inlined_size(size: int) -> int:
    """Bytes of an answer that holds a picture of `size` bytes as base64, and of what is around."""
    return (size + 2) // 3 * 4 + 2048
