"""The store: verified image bytes that stay when every link to them has died.

Blobs are files; the index knows their facts, names and sightings. This module joins the two and
keeps both off the event loop, on a few threads of its own.
"""

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from nonebot.log import logger

from ..content import ImageInfo
from ..errors import StoreError
from ..reference import ImageReference
from ..sighting import Sighting
from .blobs import Blobs
from .bodies import Bodies
from .database import Database
from .eviction import evict_step, exceeded, remove
from .index import Index, Stored, Totals
from .journal import Journal
from .maintenance import Finding, check, set_aside, steps
from .rescue import is_sound, put_index_aside
from .selection import Selection
from .sightings import is_image, saw

_T = TypeVar("_T")
_THREADS = 4
_MAX_KNOWN = 4096
"""References whose image is known without looking: some 2 MB of memory."""
_FRESH = 60.0
"""Seconds for which they are: another process may evict it, or forget it."""
_FLUSH_AFTER = 0.2
"""Seconds that small writes may wait."""
_FLUSH_AGAIN = 5.0
"""The same, after it has failed."""
_GRACE = 900.0
"""Seconds for which a file may be unfinished; no write takes that long."""
_TRIES = 5
_BATCH = 64


class ImageStore:
    """Images below one folder, shared by every process that uses it.

    Args:
        folder: where the store lives; made when opened.
        max_size: bytes it may hold.
        max_age: seconds since its last use after which an image may go.
        remember_sightings: whether `saw` does anything.
        max_bodies: bytes of images to keep in memory, verified, for who wants them next.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_size: int,
        max_age: float,
        remember_sightings: bool = True,
        max_bodies: int = 0,
    ) -> None:
        self.folder = folder
        self._max_size = max_size
        self._max_age = max_age
        self._remember_sightings = remember_sightings
        self._blobs = Blobs(folder)
        self._bodies = Bodies(max_bodies)
        self._database: Database | None = None
        self._opening = threading.Lock()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="qqimage-store")
        self._known: OrderedDict[str, tuple[ImageInfo, float]] = OrderedDict()
        self._journal = Journal()
        self._flush_timer: asyncio.TimerHandle | None = None
        self._flush_task: asyncio.Task[None] | None = None
        self._flushing = asyncio.Lock()
        self._closed = False

    # Images

    def known(self, reference: ImageReference) -> ImageInfo | None:
        """The image a reference means, where this process knows it without looking."""
        for key in _keys(reference):
            info, since = self._known.get(key, (None, 0.0))
            if info is not None and time.monotonic() - since < _FRESH:
                self._known.move_to_end(key)
                self._journal.use(info.sha256, time.time())
                self._flush_soon()
                return info
        return None

    async def find(self, reference: ImageReference) -> ImageInfo | None:
        """The image a reference means, when it is stored.

        Raises:
            StoreError: the store cannot be read.
        """

        def look_up(index: Index) -> ImageInfo | None:
            if reference.sha256:
                return index.by_sha256(reference.sha256)
            known = index.by_md5(reference.md5, reference.size) if reference.md5 else None
            for name in () if known else reference.names:
                known = known or index.by_name(name)
            return known

        info = self.known(reference)
        if info is None:
            info = await self._run(look_up)
            if info is not None:
                self._learn(reference, info)
                self._journal.use(info.sha256, time.time())
                self._flush_soon()
        return info

    async def put(
        self, reference: ImageReference, info: ImageInfo, data: bytes, source: str
    ) -> None:
        """Keep verified bytes, and remember what the reference means.

        Raises:
            StoreError: they cannot be kept; nothing is lost that was there before.
        """
        name = "" if _confirmed(reference, info) else reference.name

        def write(index: Index) -> bool:
            for _ in range(_TRIES):
                try:
                    self._blobs.write(info, data)
                except FileExistsError:
                    set_aside(index, self._blobs, info)
                    continue
                with index.transaction():
                    # it may have been evicted since: nobody can do that in here
                    if self._blobs.there(info):
                        index.add(info, name, source)
                        break
            else:
                path = self._blobs.path(info)
                raise StoreError(f"{path} cannot be kept: it is damaged, or gone, at once")
            return exceeded(index, max_size=self._max_size, max_age=self._max_age)

        full = await self._run(write)
        self._learn(reference, info)
        self._bodies.keep(info.sha256, data)
        if full:  # the latest uses are written down first, for they decide who goes
            await self._evict_step(keep=info.sha256)

    async def read(self, info: ImageInfo) -> bytes | None:
        """The bytes of a stored image, verified.

        Returns:
            None when its file is missing or damaged; the store forgets it then, and keeps what
            is damaged in its folder ``quarantine``.

        Raises:
            StoreError: it cannot be read.
        """

        data = self._bodies.get(info.sha256)
        if data is None:
            data = await self._in_thread(lambda: self._blobs.read(info))
            if data is None:
                await self._set_aside(info)
            else:
                self._bodies.keep(info.sha256, data)
        return data

    def at_hand(self, info: ImageInfo) -> bytes | None:
        """The bytes of a stored image, verified, where they are in memory anyway."""
        return self._bodies.get(info.sha256)

    async def intact(self, info: ImageInfo) -> bool:
        """Whether the file of a stored image is there, and verified; as for `read`, if not.

        Raises:
            StoreError: it cannot be read.
        """
        data = await self._in_thread(lambda: self._blobs.read(info))
        if data is None:
            await self._set_aside(info)
        return data is not None

    def path(self, info: ImageInfo) -> Path:
        """Where the image's file is."""
        return self._blobs.path(info)

    async def pin(self, sha256: str, owner: str) -> bool:
        """Keep an image from eviction until its owner unpins it as often; False if it is unknown.

        Raises:
            StoreError: the store cannot be written.
        """

        def pin(index: Index) -> bool:
            with index.transaction():
                if index.by_sha256(sha256) is None:
                    return False
                index.pin(sha256, owner)
                return True

        return await self._run(pin)

    async def unpin(self, sha256: str, owner: str) -> bool:
        """Take one of an owner's pins back; whether there was one.

        Raises:
            StoreError: the store cannot be written.
        """
        return await self._run(lambda index: index.unpin(sha256, owner))

    # Sightings

    def saw(self, sighting: Sighting) -> None:
        """Remember where an image was seen, a moment later."""
        if self._remember_sightings:
            saw(self._journal, sighting)
            self._flush_soon()

    def is_image(self, reference: ImageReference, info: ImageInfo) -> None:
        """Remember what the sightings of a reference show, a moment later."""
        if self._remember_sightings:
            is_image(self._journal, reference, info)
            self._flush_soon()

    async def forget(
        self,
        *,
        chat: str | None = None,
        user: str | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> tuple[int, int]:
        """Forget a chat's or a user's sightings, and the images that nobody else referred to.

        Args:
            chat: the chat, as in `Sighting.chat`; None for any.
            user: the user; None for any.
            progress: told how many sightings have gone so far.

        Returns:
            How many sightings and how many images went.

        Raises:
            ValueError: neither is given.
            StoreError: the store cannot be written.
        """
        if chat is None and user is None:
            raise ValueError("say whose sightings to forget: a chat, a user, or both")

        def forget_some(index: Index) -> tuple[int, int]:
            with index.transaction():
                gone = index.sightings.remove_some(chat=chat, user=user, limit=_BATCH)
                digests = index.sightings.unreferred(s.sha256 for s in gone if s.sha256)
                images = [info for sha256 in digests if (info := index.by_sha256(sha256))]
                return len(gone), len(remove(index, self._blobs, images))

        sightings = images = 0
        while True:
            count, gone = await self.query(forget_some)
            self._known.clear()  # the names of images that stay may have gone, too
            sightings, images = sightings + count, images + gone
            progress(sightings)
            if count < _BATCH:
                return sightings, images

    # The whole

    async def evict(self) -> None:
        """Bring the store within its bounds.

        Raises:
            StoreError: the store cannot be written.
        """
        while await self._evict_step():
            pass
        oldest = time.time() - self._max_age
        while await self.query(lambda index: index.sightings.evict(oldest, _BATCH)):
            pass

    async def totals(self) -> Totals:
        """How much the store holds.

        Raises:
            StoreError: the store cannot be read.
        """
        return await self._run(Index.totals)

    async def steps(self) -> list[str]:
        """The parts that `check` can look at.

        Raises:
            StoreError: the store cannot be read. A damaged index has been replaced then.
        """

        def look(index: Index) -> list[str]:
            if not is_sound(self.folder / _INDEX):
                raise sqlite3.DatabaseError("it is damaged")
            return steps(index, self._blobs)

        return await self._run(look)

    async def check(
        self, step: str, *, deep: bool = False, repair: bool = False, grace: float = _GRACE
    ) -> list[Finding]:
        """Compare the files and the rows of one part; what is wrong.

        Args:
            step: one of `steps`.
            deep: read and verify every file.
            repair: put it right, too.
            grace: seconds for which a new file is left alone.

        Raises:
            StoreError: the store cannot be read.
        """
        return await self._run(
            lambda index: check(index, self._blobs, step, deep=deep, repair=repair, grace=grace)
        )

    async def query(self, work: Callable[[Index], _T]) -> _T:
        """Use the index in a thread, with everything written down that has been noted so far.

        Raises:
            StoreError: the store cannot be used.
        """
        await self._flush()
        return await self._run(work)

    def count(self, kind: str, what: str) -> None:
        """Count something, a moment later: one of few kinds of few different things."""
        self._journal.count(kind, what)
        self._flush_soon()

    async def close(self) -> None:
        """Write down what waits, and close the index. What was put is safe already."""
        if self._closed:
            return
        if self._flush_timer is not None:
            self._flush_timer.cancel()
        with contextlib.suppress(StoreError):
            await self._flush()
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._threads, self._drop, None)
        self._threads.shutdown(wait=False)

    # Inside

    async def _evict_step(self, keep: str = "") -> bool:
        def step(index: Index) -> list[ImageInfo]:
            size, age = self._max_size, self._max_age
            return evict_step(index, self._blobs, max_size=size, max_age=age, keep=keep)

        gone = await self.query(step)
        self._forget_known({info.sha256 for info in gone})
        return bool(gone)

    def _learn(self, reference: ImageReference, info: ImageInfo) -> None:
        # not under a file name that the content does not confirm, and not as what this bot sent
        # there: either would speak for other images, as peers use the same id twice
        promised = reference.sha256 or _confirmed(reference, info)
        for key in filter(None, [reference.key if promised else "", reference.name]):
            self._known[key] = info, time.monotonic()
            if len(self._known) > _MAX_KNOWN:
                self._known.popitem(last=False)

    async def _set_aside(self, info: ImageInfo) -> None:
        trouble = await self._run(lambda index: set_aside(index, self._blobs, info))
        self._forget_known({info.sha256})
        if trouble is not None:
            self.count("store", trouble)
            logger.warning(
                f"qqimage: the stored image {info.sha256} was {trouble}, and is fetched again "
                f"where that is possible; {self.folder} should be changed by nobody else"
            )

    def _forget_known(self, digests: set[str]) -> None:
        for key in [key for key, (info, _) in self._known.items() if info.sha256 in digests]:
            del self._known[key]
        for sha256 in digests:
            self._bodies.drop(sha256)

    def _flush_soon(self, after: float = _FLUSH_AFTER) -> None:
        if self._flush_timer is None and not self._closed:
            loop = asyncio.get_running_loop()
            self._flush_timer = loop.call_later(after, self._start_flush)

    def _start_flush(self) -> None:
        async def flush() -> None:
            try:
                await self._flush()
            except StoreError:  # whoever uses the store is told; what waits goes on waiting
                self._flush_soon(_FLUSH_AGAIN)

        self._flush_timer = None
        self._flush_task = asyncio.create_task(flush())

    async def _flush(self) -> None:
        async with self._flushing:  # in their order
            writes = self._journal.take()
            if not writes:
                return
            try:
                await self._run(lambda index: index.write(writes))
            except BaseException:
                self._journal.restore(writes)
                raise

    async def _run(self, work: Callable[[Index], _T]) -> _T:
        if self._closed:
            raise StoreError("the store is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._work, work)

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        """Use the files alone, which is a good deal cheaper."""

        def run() -> _T:
            try:
                return work()
            except OSError as error:
                raise StoreError(f"cannot use {self.folder}: {error.strerror or error}") from error

        if self._closed:
            raise StoreError("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._threads, run)

    def _work(self, work: Callable[[Index], _T]) -> _T:
        while True:
            database = None
            try:
                database = self._open()
                return work(Index(database))
            except sqlite3.Error as error:
                if database is None or not database.closed:
                    raise self._failure(database, error) from error
                # another thread had to close it, and this one has to open it anew
            except OSError as error:
                raise StoreError(f"cannot use {self.folder}: {error.strerror or error}") from error
            except UnicodeEncodeError as error:  # half an emoji, as JSON can carry it
                raise StoreError(f"the index in {self.folder} has no room for {error}") from error

    def _failure(self, database: Database | None, error: sqlite3.Error) -> StoreError:
        aside = ""
        if str(error) not in _PASSING:
            self._drop(database)  # the next one opens it anew: the trouble may be over by then
        # not its children: this one means damage; and so does text that is none
        if type(error) is sqlite3.DatabaseError or "Could not decode" in str(error):
            with self._opening:
                aside = put_index_aside(self.folder / _INDEX)
        return StoreError(f"the index in {self.folder} failed: {error}{aside}")

    def _open(self) -> Database:
        with self._opening:
            if self._closed:
                raise StoreError("the store is closed")
            if self._database is not None and self._database.replaced:
                self._database.close()
                self._database = None
            if self._database is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._database = Database(self.folder / _INDEX)
            return self._database

    def _drop(self, database: Database | None) -> None:
        """Close the database, if it still is the one that is open; None for any."""
        with self._opening:
            if self._database is not None and database in (None, self._database):
                self._database.close()
                self._database = None


_INDEX = "index.sqlite3"
_PASSING = ("database is locked", "database or disk is full")
"""What an open database gets over by itself."""


def _confirmed(reference: ImageReference, info: ImageInfo) -> bool:
    """Whether the content is what the reference's file name promises."""
    return reference.md5 == info.md5 and reference.size in (None, info.size)


def _keys(reference: ImageReference) -> list[str]:
    """What a reference is known by in memory, the promise of its file name first."""
    if reference.sha256:
        return [f"sha256:{reference.sha256}"]
    return [*([reference.key] if reference.md5 else []), *reference.names]


__all__ = ["Finding", "ImageStore", "Index", "Selection", "Sighting", "Stored", "Totals"]
