"""What is known of an implementation: from what it says it is, corrected by what it does."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from cachetools import LRUCache

_TIMEOUTS = 2
"""Calls in a row without an answer after which an implementation counts as unresponsive."""
_UNRESPONSIVE_FOR = 60.0
"""Seconds after which an unresponsive implementation is given another chance."""
_UNREADABLE = 2
"""Files in a row that could not be read here, after which none is expected to be."""
_UNREADABLE_FOR = 180.0
"""Seconds after which one is tried again: its folder may be shared by now."""
_FORWARDED_UNKNOWN_FOR = 600.0
"""Seconds for which pictures in forwarded records are not asked for, where one could not be had."""
_FORWARDED_TIMEOUT = 2.0
"""Seconds to wait for such a picture, until one has come: some implementations never answer."""
_NO_MORE_THAN_LINKS = 20
"""Answers in a row with nothing but the segment's own link, after which the link is tried first."""
_NO_MORE_THAN_LINKS_FOR = 180.0
"""Seconds after which one is asked for first again: there may be files or fresher keys by now."""
_MAX_BROKE_ON = 1024
"""Files remembered of one bot. There are as many only where connections break all the time."""
SUSPECT = 256 * 1024
"""Bytes: a smaller picture's answer is not what breaks a connection."""
_MAX_KEPT = 100
"""Files that are noted for the next start of the bot."""


def _broke_on() -> LRUCache[str, None]:
    return LRUCache(_MAX_BROKE_ON)


def _sizes() -> LRUCache[str, int]:
    return LRUCache(_MAX_BROKE_ON)


@dataclass
class ConnectionHistory:
    """What was learned from a bot's connections. It outlasts each of them."""

    broke_on: LRUCache[str, None] = field(default_factory=_broke_on)
    """Files that were being asked for when a connection broke."""
    frame_limit: int | None = None
    """Bytes of an answer that are thought to have broken a connection."""
    connection: str = ""
    """The kind of connection that broke: nothing follows from it for one of another kind."""
    inlines: dict[str, bool] = field(default_factory=dict[str, bool])
    """Whether answers held pictures as base64 lately, by the name of the implementation."""
    sizes: LRUCache[str, int] = field(default_factory=_sizes)
    """Bytes of files, as answers have said."""
    warned: set[bool | None] = field(default_factory=set[bool | None])
    """What was known of base64 when the operator was told of the frame limit."""
    changed: bool = False
    """Whether there is anything new that should be noted for the next start of the bot."""
    _kept: set[str] = field(default_factory=set[str])
    """Digests of the files in `broke_on` before the start of the bot."""

    def add_break(self, file: str, size: int | None, connection: str = "") -> None:
        """Remember what was being asked for when a connection broke.

        Args:
            file: its name or id.
            size: bytes that its segment declares.
            connection: which kind of connection that was.
        """
        if connection != self.connection:
            self.broke_on.clear()
            self._kept.clear()
            self.frame_limit, self.connection = None, connection
        self.broke_on[file] = None
        if size is not None and size >= SUSPECT:
            self.frame_limit = min(inlined_size(size) - 1, self.frame_limit or inlined_size(size))
        self.inlines.clear()  # it may have been switched on since
        self.changed = True

    @property
    def dropped(self) -> int:
        """How many files were being asked for when connections broke."""
        return len({*self._kept, *map(_digest, self.broke_on)})

    def suspects(self, file: str, connection: str) -> bool:
        """Whether a connection of this kind broke while this file was being asked for."""
        known = file in self.broke_on or _digest(file) in self._kept
        return known and connection == self.connection

    def add_inlining(self, name: str, inlines: bool) -> None:
        """Remember whether the answers of an implementation of this name hold pictures."""
        if self.inlines.get(name) is not inlines:
            self.inlines[name] = inlines
            self.changed = True

    def note(self) -> dict[str, Any]:
        """What should be known after the next start of the bot, for JSON; without file names."""
        files = [*self._kept, *map(_digest, self.broke_on)]
        return {
            "broke_on": files[-_MAX_KEPT:],
            "frame_limit": self.frame_limit,
            "connection": self.connection,
            "inlines": self.inlines,
        }

    def recall(self, note: Mapping[str, Any]) -> None:
        """Take over what was noted before the start of the bot, unless more is known by now."""
        if self.changed:
            return
        self._kept.update(note["broke_on"])
        self.frame_limit, self.connection = note["frame_limit"], note["connection"]
        self.inlines.update(note["inlines"])


def _digest(file: str) -> str:
    return blake2b(file.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


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
        self.look: asyncio.Task[bool] | None = None
        """The last look whether that file can be read by now."""
        self.looking = False
        """Whether a thread looks just now."""
        self.finds_forwarded: bool | None = None
        """Whether it finds pictures in forwarded records; None while nothing is known."""
        self._unreadable = 0
        self._last_unreadable = 0.0
        self._forwarded_unknown_until = 0.0
        self._bare_links = 0
        self._last_bare_link = 0.0
        self._timeouts = 0
        self._last_timeout = 0.0

    def identify(self, name: str, version: tuple[int, ...]) -> None:
        """Learn what it calls itself, and its version."""
        self.name, self.version = name, version
        if self.inlines is None and self._never_inlines():
            self.inlines = False
        if self.finds_forwarded is None and self.downloads_itself:
            self.finds_forwarded = True

    @property
    def downloads_itself(self) -> bool:
        """Whether its ``get_image`` is a download from the image host, and not QQ's own."""
        return self.name == "go-cqhttp" or (
            self.name == "LLOneBot" and (self.version >= (7, 12, 14) or () < self.version < (3, 29))
        )

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
        """Whether its files have turned out, a short time ago, not to be readable here."""
        lately = time.monotonic() - self._last_unreadable < _UNREADABLE_FOR
        return self._unreadable >= _UNREADABLE and lately

    @property
    def unresponsive(self) -> bool:
        """Whether other sources should be tried before its ``get_image`` at the moment."""
        recently = time.monotonic() - self._last_timeout < _UNRESPONSIVE_FOR
        return self._timeouts >= _TIMEOUTS and recently

    @property
    def gives_links_only(self) -> bool:
        """Whether its last answers said no more of a picture than its segment had said."""
        lately = time.monotonic() - self._last_bare_link < _NO_MORE_THAN_LINKS_FOR
        return self._bare_links >= _NO_MORE_THAN_LINKS and lately

    def gave(self, *, link_only: bool) -> None:
        """Learn what an answer held.

        Args:
            link_only: whether that was the segment's own link and nothing else.
        """
        self._bare_links = self._bare_links + 1 if link_only else 0
        self._last_bare_link = time.monotonic()

    def file_read(self) -> None:
        """Learn that a file it named could be read here."""
        self.reads_files, self.unreadable, self._unreadable = True, "", 0

    def file_not_readable(self, named: str) -> None:
        """Learn that a file it named could not be read here."""
        self.reads_files, self.unreadable = False, named
        self._unreadable += 1
        self._last_unreadable = time.monotonic()

    def file_appeared(self) -> None:
        """Learn that the last file which could not be read here can be by now."""
        self._unreadable = 0

    def forwarded_timeout(self, timeout: float) -> float:
        """Seconds to wait for a picture in a forwarded record; 0 where it is not to be asked for.

        Not all implementations find these pictures, and some never answer:
        https://github.com/NapNeko/NapCatQQ/issues/1777

        Args:
            timeout: seconds to wait for other pictures.
        """
        if self.finds_forwarded:
            return timeout
        if time.monotonic() < self._forwarded_unknown_until:
            return 0
        return min(timeout, _FORWARDED_TIMEOUT)

    def forwarded_unknown(self) -> None:
        """Learn that it could not give a picture in a forwarded record."""
        self._forwarded_unknown_until = time.monotonic() + _FORWARDED_UNKNOWN_FOR

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
