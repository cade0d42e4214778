"""The journal: small writes that come a moment later, gathered into one transaction.

Uses, counts and sightings are worth no way to a thread and no transaction each. A crash loses those
of the last moment, and no image.
"""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import cast

from ...content.info import ImageInfo
from ...errors import StoreError
from ...language import say
from ...log import logger
from ...messages.reference import ImageReference
from ...messages.sighting import Sighting
from ..local import digests, images, notes, outbox
from ..local.access.access import Access
from ..local.browsing.figures import count_by_hour
from ..local.sightings import sightings
from ..local.sightings.sightings import IsImage
from ..local.sqlite.database import Connection
from .last_hour import LastHour

_DELAY = 0.2
"""Seconds that writes wait for others, for one transaction costs as much as ten rows in it."""
_MAX_NEW = 64
"""Sightings of which it is asked together what they show, in less than a millisecond."""
_DELAY_OF_USES = 30.0
"""Seconds that uses wait: they come all the time, each changes two pages of the index that nothing
else changes, and a lost one does no harm."""
_DELAY_AFTER_FAILURE = 5.0
"""Seconds until it is tried again: the disk may be full, or another process hold the lock."""


@dataclass(frozen=True)
class SaidPath:
    """That a received message has said a path, by its digest."""

    digest: str


Row = Sighting | IsImage | SaidPath | ImageInfo
"""What is written down: a sighting, what it shows, a path that was said, or an image's SHA-1."""


@dataclass(frozen=True)
class _Pending:
    """What is written down together."""

    uses: dict[str, float]
    counts: Counter[tuple[str, str]]
    rows: list[Row]
    send: bool

    def write(self, db: Connection) -> None:
        """Write everything down, rows in their order."""
        images.note_uses(db, self.uses)
        notes.add_counts(db, self.counts)
        count_by_hour(db, self.counts)
        for kind, group in groupby(self.rows, type):
            if kind is Sighting:
                seen = sightings.add(db, cast(Iterable[Sighting], group))
                if self.send:
                    outbox.add_sightings(db, seen)
            elif kind is IsImage:
                news = sightings.identify(db, cast(Iterable[IsImage], group))
                if self.send:
                    shown = ((each.sha256, each.keys, each.reference) for each in news)
                    outbox.add_shown(db, shown)
            elif kind is SaidPath:
                said = cast(Iterable[SaidPath], group)
                notes.add_said(db, (each.digest for each in said))
            else:
                digests.add(db, cast(Iterable[ImageInfo], group))


class Journal:
    """Gathers writes on the event loop, and has them written down in a thread.

    While the index cannot be written they wait, as many as the bounds allow; the oldest go first.

    Args:
        access: to the index.
        max_rows: how many may wait.
        max_text: characters of all that wait.
        send: whether sightings go into the outbox, too.
    """

    def __init__(
        self,
        access: Access,
        *,
        max_rows: int = 10_000,
        max_text: int = 1 << 24,
        send: bool = False,
    ) -> None:
        self.on_write: Callable[[Iterable[str]], None] = lambda _: None
        """Called with the SHA-256 of used images whenever something has been written down."""
        self.shown: Callable[[ImageReference], str] = lambda _: ""
        """Gives the SHA-256 of what a sighting shows, where that is known; empty where it is not.
        It is asked a moment after, for many together, which takes half as long for each."""
        self.gather: Callable[[], None] = lambda: None
        """Called before anything is added or written: adds what came before, and must not raise."""
        self._send = send
        self.last_hour = LastHour()
        """What was counted lately."""
        self.watch: Callable[[str, str], None] = lambda kind, what: None
        """Told of each thing that is counted, at once; it must neither raise nor take long."""
        self._access = access
        self._max_rows = max_rows
        self._max_text = max_text
        self._uses: dict[str, float] = {}
        self._uses_due = 0.0
        self._counts: Counter[tuple[str, str]] = Counter()
        self._rows: deque[Row] = deque()
        self._seen: list[Sighting] = []  # nobody has asked so far what they show
        self._text = 0
        self._timer: asyncio.TimerHandle | None = None
        self._soon = False  # whether it is to be flushed as soon as may be
        self._task: asyncio.Task[None] | None = None
        self._one_flush = asyncio.Lock()  # two at once could write rows in the wrong order
        self._not_before = 0.0
        self._closed = False

    def use(self, sha256: str, when: float) -> None:
        """An image was used, in seconds since the epoch."""
        if not self._uses:
            self._uses_due = asyncio.get_running_loop().time() + _DELAY_OF_USES
            self._flush_after(_DELAY_OF_USES)
        if len(self._uses) < self._max_rows:
            self._uses[sha256] = when

    def count(self, kind: str, what: str) -> None:
        """One more of these; there are few different ones."""
        self._counts[kind, what] += 1
        self.last_hour.count(kind, what)
        self.watch(kind, what)
        self._flush_soon()

    def add(self, row: Row) -> None:
        """Write something down, a moment later."""
        self.gather()
        if isinstance(row, Sighting):
            self._seen.append(row)
            if row.reference.content or len(self._seen) >= _MAX_NEW:
                self._sort_in()
        else:
            self._sort_in()  # what it shows comes after it
            self._append(row)
        self._flush_soon()

    async def flush(self, *, with_uses: bool = True) -> None:
        """Write everything down.

        Args:
            with_uses: whether uses, too, which otherwise go on waiting.

        Raises:
            StoreError: it cannot be; then it goes on waiting.
        """
        async with self._one_flush:
            self.gather()
            self._sort_in()
            uses = self._uses if with_uses else {}
            pending = _Pending(uses, self._counts, [*self._rows], self._send)
            if not any((pending.uses, pending.counts, pending.rows)):
                return
            if with_uses:
                self._uses = {}
            self._counts, self._text = Counter(), 0
            self._rows.clear()
            try:
                await self._access.write(pending.write)
            except BaseException:
                self._restore(pending)
                raise
            self.on_write(pending.uses)

    async def close(self) -> None:
        """Write everything down a last time, if that is possible."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        with contextlib.suppress(StoreError):
            await self.flush()

    def _sort_in(self) -> None:
        """Let new sightings wait, with what they show."""
        seen, self._seen = self._seen, []
        for sighting in seen:
            reference = sighting.reference
            sha256 = sighting.sha256 or self.shown(reference)
            if sha256 or reference.content:
                where = sighting.chat, sighting.user, sighting.time
                sighting = Sighting(reference.lean(), *where, sha256, sighting.arrived)
            self._append(sighting)

    def _append(self, row: Row) -> None:
        self._rows.append(row)
        self._text += _text(row)
        while len(self._rows) > self._max_rows or self._text > self._max_text:
            self._text -= _text(self._rows.popleft())

    def _restore(self, pending: _Pending) -> None:
        """Let what could not be written wait again, before what has come since."""
        later, self._text = [*self._rows], 0
        self._rows.clear()
        for row in (*pending.rows, *later):
            self._append(row)
        self._uses = {**pending.uses, **self._uses}
        self._counts.update(pending.counts)

    def _flush_after(self, seconds: float) -> None:
        """Flush after so many seconds, or earlier where that is planned already."""
        if self._closed:
            return
        loop = asyncio.get_running_loop()
        due = max(loop.time() + seconds, self._not_before)
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = loop.call_at(due, self._start)

    def _flush_soon(self) -> None:
        if not self._soon:
            self._flush_after(_DELAY)
            self._soon = True

    def _start(self) -> None:
        self._timer, self._soon = None, False
        self._task = asyncio.create_task(self._flush_in_background())

    async def _flush_in_background(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await self.flush(with_uses=loop.time() >= self._uses_due)
            if self._uses:
                self._flush_after(self._uses_due - loop.time())
        except StoreError:  # whoever uses the store is told of it
            self._not_before = loop.time() + _DELAY_AFTER_FAILURE
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._soon = False
            self._flush_soon()
        except Exception:  # noqa: BLE001  an error of ours must not end the bot
            logger.exception(say("qqimage: the journal failed, please report it"))


def _text(row: Row) -> int:
    """Characters that a row holds, but for a few."""
    if isinstance(row, Sighting):
        return len(row.reference.file) + len(row.reference.url)
    return sum(map(len, row.keys)) if isinstance(row, IsImage) else 0
