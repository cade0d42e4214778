"""The store: verified image bytes that stay when every link to them has died.

Blobs are files; the index knows their facts, names and sightings. This module joins the two and
keeps both off the event loop, on a few threads of its own.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from nonebot.log import logger

from ..content.info import ImageInfo
from ..messages.reference import ImageReference
from ..messages.sighting import Sighting
from .bodies import Bodies
from .known import Known, confirms
from .local.access import Access
from .local.batching import Batching
from .local.blobs import Blobs
from .local.eviction import evict_step, remove
from .local.flushing import Flushing
from .local.index import MOST_ASKED, Index, Stored, Totals
from .local.journal import Journal
from .local.maintenance import Finding, Trouble, check, set_aside, steps
from .local.putting import Putting
from .local.selection import Selection
from .local.sightings import is_image, saw

_T = TypeVar("_T")
_GRACE = 900.0
"""Seconds for which a file may be unfinished; no write takes that long."""
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
        self._access = Access(folder)
        self._blobs = Blobs(folder)
        self._bodies = Bodies(max_bodies)
        self._known = Known()
        self._lookups = Batching(self._access, Index.meant_by, MOST_ASKED)
        self._putting = Putting(self._access, self._blobs, max_size=max_size, max_age=max_age)
        self._journal = Journal()
        self._flushing = Flushing(self._journal, self._access)
        self._closed = False

    # Images

    def known(self, reference: ImageReference) -> ImageInfo | None:
        """The image a reference means, where this process knows it without looking."""
        info = self._known.get(reference)
        if info is not None:
            self._used(info)
        return info

    async def find(self, reference: ImageReference) -> ImageInfo | None:
        """The image a reference means, when it is stored.

        Raises:
            StoreError: the store cannot be read.
        """
        info = self.known(reference)
        if info is None:
            info = await self._lookups.ask(reference)
            if info is not None:
                self._known.learn(reference, info)
                self._used(info)
        return info

    async def put(
        self, reference: ImageReference, info: ImageInfo, data: bytes, source: str
    ) -> None:
        """Keep verified bytes, and remember what the reference means.

        Raises:
            StoreError: they cannot be kept; nothing is lost that was there before.
        """
        name = "" if confirms(info, reference) else reference.name
        full = await self._putting.put(info, name, data, source)
        self._known.learn(reference, info)
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
            data = await self._access.files(lambda: self._blobs.read(info))
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
        intact = await self._access.files(lambda: self._blobs.intact(info))
        if not intact:
            await self._set_aside(info)
        return intact

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

        return await self._access.index(pin)

    async def unpin(self, sha256: str, owner: str) -> bool:
        """Take one of an owner's pins back; whether there was one.

        Raises:
            StoreError: the store cannot be written.
        """
        return await self._access.index(lambda index: index.unpin(sha256, owner))

    # Sightings

    def saw(self, sighting: Sighting) -> None:
        """Remember where an image was seen, a moment later."""
        if self._remember_sightings:
            known = None if sighting.sha256 else self.known(sighting.reference)
            saw(self._journal, sighting, known)
            self._flushing.soon()

    async def sightings(
        self,
        *,
        sha256: str | None = None,
        bot: str | None = None,
        chat: str | None = None,
        user: str | None = None,
        message_id: str | None = None,
        since: float | None = None,
        limit: int,
    ) -> list[Sighting]:
        """The sightings that fit all that is given, the latest first."""
        return await self.query(
            lambda index: index.sightings.find(
                sha256=sha256,
                bot=bot,
                chat=chat,
                user=user,
                message_id=message_id,
                since=since,
                limit=limit,
            )
        )

    def ask_first(self, witness: Callable[[], object]) -> None:
        """Call this whenever sightings are written down or looked for.

        It calls `saw` for those that it has kept to itself so far, and never raises.
        """
        self._journal.ask_first(witness)

    def is_image(self, reference: ImageReference, info: ImageInfo) -> None:
        """Remember what the sightings of a reference show, a moment later."""
        if self._remember_sightings:
            is_image(self._journal, reference, info)
            self._flushing.soon()

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
            self._bodies.clear()
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
        return await self._access.index(Index.totals)

    async def quarantined(self) -> Totals:
        """How much has been put aside.

        Raises:
            StoreError: the store cannot be read.
        """
        sizes = await self._access.files(self._blobs.quarantined)
        return Totals(len(sizes), sum(sizes))

    async def steps(self) -> list[str]:
        """The parts that `check` can look at.

        Raises:
            StoreError: the store cannot be read. A damaged index has been replaced then.
        """
        await self._access.demand_sound_index()
        return await self._access.index(lambda index: steps(index, self._blobs))

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
        return await self._access.index(
            lambda index: check(index, self._blobs, step, deep=deep, repair=repair, grace=grace)
        )

    async def query(self, work: Callable[[Index], _T]) -> _T:
        """Use the index in a thread, with everything written down that has been noted so far.

        Raises:
            StoreError: the store cannot be used.
        """
        await self._flushing.now()
        return await self._access.index(work)

    def count(self, kind: str, what: str) -> None:
        """Count something, a moment later: one of few kinds of few different things."""
        self._journal.count(kind, what)
        self._flushing.soon()

    async def close(self) -> None:
        """Write down what waits, and close the index. What was put is safe already."""
        if not self._closed:
            self._closed = True
            await self._flushing.end()
            await self._access.close()

    # Inside

    def _used(self, info: ImageInfo) -> None:
        self._journal.use(info.sha256, time.time())
        self._flushing.at_leisure()

    async def _evict_step(self, keep: str = "") -> bool:
        def step(index: Index) -> list[ImageInfo]:
            size, age = self._max_size, self._max_age
            return evict_step(index, self._blobs, max_size=size, max_age=age, keep=keep)

        gone = await self.query(step)
        self._forget_known({info.sha256 for info in gone})
        return bool(gone)

    async def _set_aside(self, info: ImageInfo) -> None:
        trouble = await self._access.index(lambda index: set_aside(index, self._blobs, info))
        self._forget_known({info.sha256})
        if trouble is not None:
            self.count("store", trouble)
            logger.warning(
                f"qqimage: the stored image {info.sha256} was {trouble}, and is fetched again "
                f"where that is possible; {self.folder} should be changed by nobody else"
            )

    def _forget_known(self, digests: set[str]) -> None:
        self._known.forget(digests)
        for sha256 in digests:
            self._bodies.drop(sha256)


__all__ = [
    "Finding",
    "ImageStore",
    "Index",
    "Selection",
    "Sighting",
    "Stored",
    "Totals",
    "Trouble",
]
