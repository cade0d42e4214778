"""The store: verified image bytes that stay when every link to them has died.

`ImageStore` is its face, for the event loop. The images are files and the index is one SQLite file;
what works on them, in threads, is in ``local/``.
"""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from ..content.info import ImageInfo
from ..messages.reference import ImageReference
from ..messages.sighting import Sighting
from .annotations import Annotations
from .browsing import Browsing
from .catalog import Catalog
from .finding.meanings import Meanings
from .finding.seen import Seen
from .finding.shared_images import SharedImages
from .keeping.forgetting import Forgetting
from .keeping.pins import Pins
from .keeping.putting import Putting, names_of
from .keeping.upkeep import Upkeep
from .local import images
from .local.access.access import Access
from .local.digests import Agreement
from .local.facts import Totals
from .local.files.blobs import Blobs
from .local.files.copies import Copies
from .local.sightings import sightings
from .local.sightings.sightings import IsImage, Query
from .local.sqlite.clock import Clock
from .local.upkeep.bounds import Bounds, withdraw
from .looks import Looks
from .memory.journal import Journal
from .memory.memory import Memory
from .notes import Notes
from .shared.changes import Changes
from .shared.importing import Imported, import_all
from .shared.shared import Shared
from .shared.tier import SharedTier


class ImageStore:
    """Images below one folder, shared by every process that uses it.

    Every coroutine raises `StoreError` where the store cannot be read or written; then nothing is
    lost that was there before.

    Args:
        folder: where the store lives; made when opened.
        max_size: bytes it may hold.
        max_age: seconds since its last use after which an image may go.
        remember_sightings: whether `saw` does anything.
        memory_size: bytes of images to keep in memory, verified; 0 for none.
        shared: the shared store behind this one; None where there is none.
        max_shared_size: bytes that one may hold.
        send: whether the outbox is filled for one, by whatever process it is sent.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_size: int,
        max_age: float,
        remember_sightings: bool = True,
        memory_size: int = 0,
        shared: Shared | None = None,
        max_shared_size: int = 0,
        send: bool = False,
    ) -> None:
        self.folder = folder
        self._bounds = Bounds(max_size, max_age)
        self._remember_sightings = remember_sightings
        clock = Clock()
        self._access = Access(folder, clock)
        self._blobs = Blobs(folder)
        self._memory = Memory(memory_size)
        self._send = send or shared is not None
        self._journal = Journal(self._access, send=self._send)
        self._putting = Putting(self._access, self._blobs, self._bounds)
        self._meanings = Meanings(self._access, self._blobs, self._journal, self._memory, clock)
        self.catalog = Catalog(self._access, self._journal, self._blobs)
        """What the store holds, for those who list or examine it."""
        self.browsing = Browsing(self._access, self._journal, self._blobs)
        """Pages of it, and who may look at them."""
        self.looks = Looks(self._access, self._blobs, self._journal)
        """What its images look like, and which are near another one."""
        access, blobs, journal = self._access, self._blobs, self._journal
        self._changes = Changes(access, blobs, journal.flush, lambda: self.forgetting.noted())
        self.tier = None if shared is None else self._tier(shared, max_shared_size)
        """The shared store behind this one; None where there is none."""
        self.seen = Seen(self._access, self._journal, self.tier)
        """Where many of its images were seen."""
        self.annotations = Annotations(self._access, self._journal, send=self._send, tier=self.tier)
        """What plugins have found out about its images."""
        self.upkeep = Upkeep(folder, access, blobs, journal, self._memory, self._bounds)
        """What keeps it whole, and within its bounds."""
        self.forgetting = Forgetting(access, blobs, journal, self._memory, self._send, self.tier)
        """What is forgotten on request."""
        self.pins = Pins(self._access, send=self._send, tier=self.tier)
        """What keeps images in it."""
        self.notes = Notes(self._access, self._journal, self._bounds)
        """Small texts for all processes on the folder."""
        self.shared_images = SharedImages(
            *(self.tier, self._putting, self._meanings, self._memory),
            *(self.upkeep, self.forgetting, self.looks.came),
        )
        """What other hosts have fetched."""

    def _tier(self, shared: Shared, max_size: int) -> SharedTier:
        what = shared, self._access, self._blobs, self._changes
        tier = SharedTier(*what, max_size=max_size, max_age=self._bounds.max_age)
        self._journal.on_write = tier.noted
        return tier

    # Images

    def known(self, reference: ImageReference, *, lately: bool = False) -> ImageInfo | None:
        """The image a reference means, where this process knows it without looking.

        Args:
            reference: the reference.
            lately: whether it must have been there half a second ago: another process may have
                forgotten it since.
        """
        return self._meanings.known(reference, lately=lately)

    def look_anew(self) -> None:
        """Rely on nothing that this process knows of the index and the files."""
        self._memory.clear()

    async def find(self, reference: ImageReference, here: bool = False) -> ImageInfo | None:
        """The image a reference means, when it is stored: `here`, or in the shared store, too."""
        info = await self._meanings.find(reference)
        return info if info or here else await self.shared_images.find(reference)

    async def find_here(self, references: Sequence[ImageReference]) -> list[ImageInfo | None]:
        """The images that references mean, as far as they are stored here, looked up together."""
        return await self._meanings.find_all(references)

    async def put(
        self,
        reference: ImageReference,
        info: ImageInfo,
        data: bytes,
        source: str,
        agreement: Agreement | None = None,
        by_link: bool = False,
    ) -> None:
        """Keep verified bytes, and remember what the reference means.

        Args:
            reference: the reference.
            info: what the bytes are.
            data: the bytes.
            source: where they came from.
            agreement: whether the reference's link told the truth, where that brought any bytes.
            by_link: whether these bytes came by the reference's link.
        """
        names = names_of(reference, info, by_link=by_link)
        begun = time.monotonic()
        full = await self._putting.put(info, names, data, source, agreement, send=self._send)
        if self.tier is not None:
            self.tier.hurry()
        if agreement is not None and self._putting.trust is not None:
            self._meanings.trust = self._putting.trust
        self._meanings.learn(reference, info, begun, self._putting.mark)
        self._memory.keep(info.sha256, data)
        self.looks.came(info)
        if full:
            await self.upkeep.evict_some(keep=info.sha256)

    async def read(self, info: ImageInfo) -> bytes | None:
        """The bytes of a stored image, verified.

        Returns:
            None when its file is missing or damaged; the store forgets it then, and keeps what
            is damaged in its folder ``quarantine``.
        """
        data = self._memory.data(info.sha256)
        if data is None:
            data = await self._access.files(lambda: self._blobs.read(info))
            if data is None:
                await self.upkeep.set_aside(info)
            else:
                self._memory.keep(info.sha256, data)
        return data

    def at_hand(self, info: ImageInfo) -> bytes | None:
        """The bytes of a stored image, verified, where they are in memory anyway."""
        return self._memory.data(info.sha256)

    async def intact(self, info: ImageInfo) -> bool:
        """Whether the file of a stored image is there, and verified; as for `read`, if not."""
        intact = await self._access.files(lambda: self._blobs.intact(info))
        if not intact:
            await self.upkeep.set_aside(info)
        return intact

    def path(self, info: ImageInfo) -> Path:
        """Where the image's file is."""
        return self._blobs.path(info)

    async def copy(self, info: ImageInfo, data: bytes | None = None) -> Path:
        """A new file of an image, for somebody who may change, move or delete it.

        Args:
            info: the image; it is removed a day later, where it was not moved.
            data: its bytes, where it is not stored.
        """
        copies, source = self._blobs.copies, self.path(info) if data is None else data
        return await self._access.files(
            lambda: copies.make(source, info.sha256, f".{info.extension}"), writing=True
        )

    @property
    def copies(self) -> Copies:
        """The files that `copy` makes."""
        return self._blobs.copies

    @property
    def binding(self) -> bool:
        """Whether QQ's links have proven to tell the truth, and decide which content is meant."""
        return self._meanings.trust.binding

    @property
    def anything_forgotten(self) -> bool:
        """Whether anything was ever forgotten here, as of the last look at the index."""
        return self._meanings.anything_forgotten

    # Sightings

    def gather_by(self, gather: Callable[[], None]) -> None:
        """Let this, which must not raise, add what came before anything is added or written."""
        self._journal.gather = gather

    def saw(self, sighting: Sighting) -> None:
        """Remember where an image was seen, a moment later."""
        if self._remember_sightings:
            seen = sighting.reference, sighting.chat, sighting.user, sighting.time
            self._journal.add(Sighting(*seen, sighting.sha256, time.time()))

    def is_image(self, reference: ImageReference, info: ImageInfo) -> None:
        """Remember what the sightings of a reference show, a moment later."""
        if self._remember_sightings:
            self._journal.add(IsImage.of(reference, info))

    async def sightings(
        self,
        *,
        sha256: str | None = None,
        bot: str | None = None,
        chat: str | None = None,
        user: str | None = None,
        message_id: str | None = None,
        since: float | None = None,
        not_by: str | None = None,
        arrived_by: float | None = None,
        limit: int,
    ) -> list[Sighting]:
        """The sightings that fit all that is given, the latest first.

        Args:
            sha256: of the image.
            bot: the id of the bot that saw it.
            chat: the chat, as in `Sighting.chat`.
            user: the id of the user who sent it.
            message_id: the message it stands in.
            since: seconds since the epoch.
            not_by: a user who sent none of them.
            arrived_by: seconds since the epoch; see `Sighting.arrived`.
            limit: how many at most.
        """
        query = Query(limit, sha256, bot, chat, user, message_id, since, not_by, arrived_by)
        await self._journal.flush()
        here = await self._access.read(lambda db: sightings.find(db, query))
        return here if self.tier is None else await self.tier.sightings(query, here)

    # The whole

    def import_into(self, shared: Shared) -> AsyncIterator[Imported]:
        """Send all that is here to a shared store; what has been done is given after each step."""
        return import_all(shared, self._changes, self._access, self._blobs)

    async def totals(self) -> Totals:
        """How much the store holds."""
        return await self._access.read(images.totals)

    def count(self, kind: str, what: str) -> None:
        """Count something, a moment later: one of few kinds of few different things."""
        self._journal.count(kind, what)

    async def close(self) -> None:
        """Write down what waits, and close the index. What was put is safe already."""
        self.looks.close()
        await self._journal.close()
        if self.tier is not None:
            await self.tier.close()
        await self._access.close(withdraw)
