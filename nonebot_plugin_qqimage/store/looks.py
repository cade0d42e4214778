"""What pictures look like: their hashes, in the index and in memory, and which are near others."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..content.info import ImageInfo
from ..content.looks.decoding import SMALL, Size, small
from ..content.looks.look import NEAR, Look, Part, comparable, distance
from ..content.looks.parts import looks_of
from ..content.looks.scan import Hashes
from ..content.reencoding.fitting import max_decoded
from ..content.reencoding.turn import in_turn
from ..errors import AttemptFailed
from ..threads import DaemonThreads
from .local import images, looks
from .local.access.access import Access
from .local.files.blobs import Blobs
from .local.looks import Page, Progress, Row
from .memory.journal import Journal

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_T = TypeVar("_T")
_PAGE = 2000
"""Hashes read from the index at once: a few milliseconds."""
_STEP = 500
"""Pictures gone over at once to find those without hashes."""
_MOST = 5000
"""Hashes near another one that are looked up in the index; many copies of one picture have more."""
_MOST_NEW = 1000
"""New pictures that wait to be looked at; the others are found by going over all of them."""


class Match(NamedTuple):
    """A picture near another one, by the two parts of them that are nearest."""

    sha256: str
    """The SHA-256 of the picture that was found."""
    distance: int
    """In how many of 256 bits the hashes differ."""
    part: Part
    """What of the picture that was asked about is near."""
    other_part: Part
    """What of the picture that was found is."""


class Looks:
    """Keeps the hashes of pictures, and finds pictures by them.

    The hashes are in memory as soon as somebody searches: 32 bytes each, up to three a picture.
    Every coroutine raises `StoreError` where the store cannot be used.

    Args:
        access: to the index.
        blobs: where the files are.
        journal: what is yet to be written down.
    """

    def __init__(self, access: Access, blobs: Blobs, journal: Journal) -> None:
        self._access = access
        self._blobs = blobs
        self._journal = journal
        self._one_search = asyncio.Lock()  # what is in memory is used by one thread at a time
        self._thread = DaemonThreads(1, "qqimage-looks")
        self._hashes: dict[Part, Hashes] = {}
        self._last = 0
        self._new: deque[ImageInfo] = deque(maxlen=_MOST_NEW)
        self.came_new = asyncio.Event()
        """Set when a picture has come for `next_new`."""

    def came(self, info: ImageInfo) -> None:
        """Take note that a picture has been stored, for whoever looks at them in the background."""
        self._new.append(info)
        self.came_new.set()

    def next_new(self) -> ImageInfo | None:
        """The picture that has come last, of those that nobody has asked for yet."""
        if self._new:
            return self._new.pop()
        self.came_new.clear()
        return None

    async def of(self, sha256: str) -> list[Look] | None:
        """The hashes of a picture: none where it can have none, None where none were made yet."""
        return await self._access.read(lambda db: looks.of(db, sha256))

    async def keep(self, sha256: str, found: Iterable[Look]) -> None:
        """Keep the hashes of a picture, if it is still there; none where it can have none."""
        await self._access.write(lambda db: looks.keep(db, sha256, found))

    async def without(self, after: str) -> tuple[list[ImageInfo], str]:
        """Some pictures that nobody has looked at, and where to go on: empty where there are none.

        Args:
            after: where to go on; empty to begin.
        """
        return await self._access.read(lambda db: looks.without(db, after, _STEP))

    async def progress(self) -> Progress:
        """How many pictures have been looked at."""
        return await self._access.read(looks.progress)

    async def make(self, info: ImageInfo) -> list[Look] | None:
        """Look at a picture, and keep its hashes: none where it can have none.

        Returns:
            None where its file is missing or damaged.

        Raises:
            MissingExtra: Pillow is not installed.
        """
        try:
            found = await self._decoded(info, looks_of)
        except AttemptFailed:  # too large, hostile, or of a type that Pillow cannot read
            found = ()
        if found is None:
            return None
        await self.keep(info.sha256, found)
        return [*found]

    async def small(
        self, sha256: str, size: Size = SMALL
    ) -> "tuple[ImageInfo, Picture | None] | None":
        """A picture as it is looked at, with the facts about it.

        Args:
            sha256: of the picture.
            size: how much of it.

        Returns:
            None where it is not stored; no picture where it cannot be had, or decoded.

        Raises:
            MissingExtra: Pillow is not installed.
        """
        info = await self._access.read(lambda db: images.by_digest(db, sha256))
        if info is None:
            return None
        try:
            return info, await self._decoded(info, lambda picture: picture, size)
        except AttemptFailed:
            return info, None

    async def _decoded(
        self, info: ImageInfo, work: "Callable[[Picture], _T]", size: Size = SMALL
    ) -> _T | None:
        async def read() -> bytes | None:  # past the memory, which is for what is wanted often
            return await self._access.files(lambda: self._blobs.read(info))

        def decoded(data: bytes | None) -> _T | None:
            return None if data is None else work(small(data, info, max_decoded(), size))

        return await in_turn(read, decoded)

    async def near(
        self, found: Sequence[Look], *, chat: str | None = None, most: int = NEAR
    ) -> list[Match]:
        """The pictures near one, each once, the nearest first.

        Args:
            found: the hashes of the one.
            chat: the chat that they must have been seen in, as in `Sighting.chat`; None for any.
            most: how many bits may differ.
        """
        if not found:
            return []
        if chat is not None:
            await self._journal.flush()  # where pictures were seen may not be written down yet
        async with self._one_search:
            await self._load()
            ids: list[int] = []
            for part in sorted(self._hashes, key=lambda part: part != "whole"):
                ids += await self._in_thread(self._scan, part, found, most)
        rows = await self._access.read(lambda db: [*looks.still_there(db, ids[:_MOST], chat)])
        return _matches(found, rows, most)

    def close(self) -> None:
        """End the thread, once it is free."""
        self._thread.shutdown()

    async def _load(self) -> None:
        """Read what is new in the index. Another process, or a new index, may have written it."""
        if await self._access.read(looks.newest) < self._last:
            self._hashes, self._last = {}, 0
        while True:
            pages, last = await self._access.read(lambda db: looks.after(db, self._last, _PAGE))
            if not pages:
                break
            await self._in_thread(self._add, pages)
            self._last = last

    def _add(self, pages: Sequence[Page]) -> None:
        for page in pages:
            self._hashes.setdefault(page.part, Hashes()).add(page.ids, page.hashes)

    def _scan(self, part: Part, found: Sequence[Look], most: int) -> list[int]:
        """The ids of the hashes of one part that are near one of some, the newest first."""
        wanted = [look.bits for look in found if comparable(look.part, part)]
        near = self._hashes[part].near(wanted, most)
        return sorted({number for each in near for number in each}, reverse=True)

    def _in_thread(self, work: Callable[..., _T], *arguments: Any) -> "asyncio.Future[_T]":
        return asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


def _matches(found: Sequence[Look], rows: Iterable[Row], most: int) -> list[Match]:
    best: dict[str, Match] = {}
    for row in rows:
        for look in found:
            bits = distance(look.bits, row.look.bits)
            if bits > most or not comparable(look.part, row.look.part):
                continue
            match = Match(row.sha256, bits, look.part, row.look.part)
            best[row.sha256] = min(best.get(row.sha256, match), match, key=_rank)
    return sorted(best.values(), key=_rank)


def _rank(match: Match) -> tuple[bool, int]:
    """What is near as a whole comes first."""
    return not match.part == match.other_part == "whole", match.distance
