"""The store: verified image bytes that stay when every link to them has died.

`ImageStore` is its face, for the event loop. The images are files and the index is one SQLite file;
what works on them, in threads, is in ``local/``.
"""

import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ..content.info import ImageInfo
from ..language import Text, say
from ..log import logger
from ..messages.claims import confirmed
from ..messages.reference import ImageReference
from ..messages.sighting import Sighting
from .annotations import Annotations
from .browsing import Browsing
from .catalog import Catalog
from .journal import Journal, SaidPath
from .local import images, maintenance, notes, outbox, sightings
from .local.access import Access
from .local.blobs import Blobs
from .local.bounds import Bounds, announce, announced, in_use, withdraw
from .local.clock import Clock
from .local.copies import Copies
from .local.database import Connection
from .local.digests import Agreement
from .local.eviction import evict_step, heal, oldest
from .local.facts import Totals
from .local.forgetting import forget_image, forget_picture_step, forget_step
from .local.maintenance import Finding
from .local.sightings import IsImage
from .looks import Looks
from .meanings import Meanings
from .memory import Memory
from .putting import Putting
from .shared.importing import Imported, import_all
from .shared.shared import Query, Shared
from .shared.tier import DEADLINE, Found, SharedTier

_T = TypeVar("_T")
_FROM_SHARED = Text("shared store")
"""The source of what another host has fetched."""
_GRACE = 900.0
"""Seconds for which a file may be unfinished; no write takes that long."""
_BATCH = 64
"""Sightings removed in one transaction: others that write wait meanwhile."""


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
        self._clock = Clock()
        self._access = Access(folder, self._clock)
        self._blobs = Blobs(folder)
        self._memory = Memory(memory_size)
        self._send = send or shared is not None
        self._journal = Journal(self._access, send=self._send)
        self._putting = Putting(self._access, self._blobs, self._bounds)
        self._meanings = Meanings(
            self._access, self._blobs, self._journal, self._memory, self._clock
        )
        self.forgotten = 0
        """How often anything was forgotten on request by means of this object."""
        self.catalog = Catalog(self._access, self._journal, self._blobs)
        """What the store holds, for those who list or examine it."""
        self.browsing = Browsing(self._access, self._journal, self._blobs)
        """Pages of it, and who may look at them."""
        self.looks = Looks(self._access, self._blobs)
        """What its images look like, and which are near another one."""
        self.annotations = Annotations(self._access)
        """What plugins have found out about its images."""
        self.tier = None if shared is None else self._tier(shared, max_shared_size)
        """The shared store behind this one; None where there is none."""

    def _tier(self, shared: Shared, max_size: int) -> SharedTier:
        tier = SharedTier(
            *(shared, self._access, self._blobs, self._forgotten_elsewhere),
            max_size=max_size,
            max_age=self._bounds.max_age,
        )
        self._journal.on_write = tier.noted
        return tier

    def _forgotten_elsewhere(self) -> None:
        self.look_anew()
        self.forgotten += 1

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

    async def find(self, reference: ImageReference) -> ImageInfo | None:
        """The image a reference means, when it is stored, here or in the shared store."""
        info = await self._meanings.find(reference)
        if info is None and self.tier is not None:
            mark = self._memory.mark
            found = await self.tier.find(reference, binding=self.binding)
            info = found and await self._keep(reference, found, mark)
        return info

    @contextlib.asynccontextmanager
    async def turn(
        self, reference: ImageReference, begun: float
    ) -> AsyncGenerator[ImageInfo | None, None]:
        """Fetch an image that is not stored within this, so that only one host does.

        Args:
            reference: the image.
            begun: since when somebody waits for it, by `time.monotonic`; who waits for another host
                does so for two seconds from then.

        Returns:
            The image, where another host has fetched it meanwhile; None where it is to be fetched.
        """
        if self.tier is None:
            yield None
            return
        deadline, mark = begun + DEADLINE - time.monotonic(), self._memory.mark
        turn = await self.tier.take_turn(reference, binding=self.binding, deadline=deadline)
        if isinstance(turn, Found):
            yield await self._keep(reference, turn, mark)
            return
        try:
            yield None
        finally:
            if turn is not None:
                self.tier.release(turn)

    async def _keep(self, reference: ImageReference, found: Found, mark: str) -> ImageInfo | None:
        """Keep what the shared store has brought, which needs not be told of it.

        Args:
            reference: the reference.
            found: what it means.
            mark: `forgetting.mark` as it was before.

        Returns:
            None where it was forgotten meanwhile.
        """
        info = found.info
        names = self._names(reference, info, by_link=found.by_name)
        begun = time.monotonic()
        full = await self._putting.put(info, names, found.data, _FROM_SHARED, None)
        self._meanings.learn(reference, info, begun, self._putting.mark)
        self._memory.keep(info.sha256, found.data)
        if full:
            await self._evict_step(keep=info.sha256)
        if self._putting.mark != mark and await self.is_forgotten(reference):
            await self.forget_image(info.sha256)
            return None
        return info

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
        names = self._names(reference, info, by_link=by_link)
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
            await self._evict_step(keep=info.sha256)

    def _names(
        self, reference: ImageReference, info: ImageInfo, *, by_link: bool
    ) -> tuple[str, ...]:
        """What an image is found by, beside digests that confirm it."""
        link, sure = reference.link, confirmed(info, reference, binding=False)
        if reference.names and (link is None or (by_link and not (sure and link.sha1))):
            return reference.names[:1]
        place = (reference.own_key,) if reference.place else ()
        return () if sure else tuple(filter(None, (*place, reference.anywhere)))

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
                await self._set_aside(info)
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
            await self._set_aside(info)
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

    async def pin(self, sha256: str, owner: str) -> bool:
        """Keep an image until its owner unpins it as often; False if it is not stored."""

        def pin(db: Connection) -> bool:
            pinned = images.pin(db, sha256, owner)
            if pinned and self._send:
                outbox.add_pin(db, "pin", sha256, owner)
            return pinned

        return await self._ordered(pin)

    async def unpin(self, sha256: str, owner: str) -> bool:
        """Take one of an owner's pins back; whether there was one."""

        def unpin(db: Connection) -> bool:
            if self._send:  # also where another host has pinned it
                outbox.add_pin(db, "unpin", sha256, owner)
            return images.unpin(db, sha256, owner)

        return await self._ordered(unpin)

    async def pins(self, owner: str) -> list[str]:
        """The SHA-256 of the images that an owner keeps, the latest that was stored first."""
        everywhere = None if self.tier is None else await self.tier.pins(owner)
        if everywhere is not None:
            return everywhere
        return await self._access.read(lambda db: images.pinned_by(db, owner))

    @property
    def binding(self) -> bool:
        """Whether QQ's links have proven to tell the truth, and decide which content is meant."""
        return self._meanings.trust.binding

    @property
    def anything_forgotten(self) -> bool:
        """Whether anything was ever forgotten here, as of the last look at the index."""
        return self._meanings.anything_forgotten

    # Sightings

    def saw(self, sighting: Sighting) -> None:
        """Remember where an image was seen, a moment later."""
        if self._remember_sightings:
            known = None if sighting.sha256 else self.known(sighting.reference)
            sha256 = known.sha256 if known else sighting.sha256
            seen = sighting.reference, sighting.chat, sighting.user, sighting.time
            self._journal.add(Sighting(*seen, sha256, time.time()))

    def said_path(self, digest: str) -> None:
        """Remember that a received message has said a path, a moment later: see `said_paths`."""
        self._journal.add(SaidPath(digest))

    async def was_said(self, digest: str) -> bool:
        """Whether a received message has said a path."""
        await self._journal.flush()
        return await self._access.read(lambda db: notes.was_said(db, digest))

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
        query = Query(
            *(limit, sha256, bot, chat, user, message_id, since, not_by, arrived_by),
        )
        await self._journal.flush()
        here = await self._access.read(lambda db: sightings.find(db, **vars(query)))
        return here if self.tier is None else await self.tier.sightings(query, here)

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
            user: the user; None for any. One of the two must be given, or it is a `ValueError`.
            progress: told how many sightings have gone so far.

        Returns:
            How many sightings and how many images went.
        """
        if chat is None and user is None:
            raise ValueError("say whose sightings to forget: a chat, a user, or both")
        await self._journal.flush()
        sighted, removed = 0, list[str]()
        # first, so that it is obeyed even if this process ends meanwhile
        await self._order_forgetting(chat=chat, user=user)
        while True:
            count, gone = await self._access.write(
                lambda db: forget_step(db, self._blobs, chat=chat, user=user, limit=_BATCH)
            )
            self.look_anew()  # the names of images that stay may have gone, too
            self.forgotten += 1
            sighted, removed = sighted + count, removed + gone
            progress(sighted)
            if count < _BATCH:
                break
        # what has just been sent of them may not be known to be of this chat or user elsewhere
        order = await self._order_forgetting(images=removed)
        if self.tier is None:
            return sighted, len(removed)
        elsewhere = await self.tier.forgotten(order)
        return max(sighted, elsewhere[0]), max(len(removed), elsewhere[1])

    async def _order_forgetting(self, **what: Any) -> int:
        """Have the shared store forget something, as `outbox.add_forgetting` takes it."""
        if not self._send:
            return 0
        return await self._ordered(lambda db: outbox.add_forgetting(db, **what))

    async def _ordered(self, order: Callable[[Connection], _T]) -> _T:
        done = await self._access.write(order)
        if self.tier is not None:
            self.tier.hurry()
        return done

    async def forget_picture(self, sha256: str) -> int:
        """Forget one image: its file, everything that is known of it, and everybody's pins.

        It is fetched again only where it is seen again.

        Returns:
            How many sightings went.
        """
        await self._journal.flush()
        await self._order_forgetting(picture=sha256)
        sighted = 0
        while True:
            count = await self._access.write(
                lambda db: forget_picture_step(db, self._blobs, sha256, _BATCH)
            )
            self.look_anew()
            self.forgotten += 1
            sighted += count
            if count < _BATCH:
                return sighted

    async def is_forgotten(self, reference: ImageReference) -> bool:
        """Whether a reference means an image that was forgotten, and has not been seen since."""
        if not await self._meanings.is_forgotten(reference):
            return False
        return self.tier is None or not await self._seen_elsewhere(self.tier, reference)

    async def _seen_elsewhere(self, tier: SharedTier, reference: ImageReference) -> bool:
        """Whether a reference's message stands in the shared store, from which the sightings of
        what is forgotten are removed: another host has seen it since."""
        if not reference.message_id or "forget" in await self.outbox():  # not yet removed there
            return False
        place = Query(_BATCH, bot=reference.self_id, message_id=reference.message_id)
        seen = await tier.sightings(place, [])
        return any(each.reference.key == reference.key for each in seen)

    async def forget_image(self, sha256: str) -> None:
        """Remove an image that was forgotten while it was fetched, unless somebody refers to it."""
        await self._journal.flush()
        await self._access.write(lambda db: forget_image(db, self._blobs, sha256))
        self._memory.forget([sha256])
        self.forgotten += 1

    # The whole

    async def evict(self) -> None:
        """Bring the store within its bounds, or larger ones of another process that uses it."""
        while await self._access.write(heal):
            pass
        while await self._evict_step():
            pass
        after = 0
        while after := await self._access.write(partial(self._evict_sightings, after)):
            pass

    async def bounds(self) -> dict[str, Bounds]:
        """The bounds of each process that uses the store, by host and process."""
        return await self._access.read(announced)

    def import_into(self, shared: Shared) -> AsyncIterator[Imported]:
        """Send all that is here to a shared store; what has been done is given after each step."""
        return import_all(shared, self._access, self._blobs)

    async def outbox(self) -> dict[outbox.Kind, int]:
        """How much waits to be sent to the shared store, by kind."""
        return await self._access.read(outbox.waiting)

    async def totals(self) -> Totals:
        """How much the store holds."""
        return await self._access.read(images.totals)

    async def steps(self, *, thorough: bool = True) -> list[str]:
        """The parts that `check` can look at; a damaged index has been replaced if this raises.

        Args:
            thorough: read all of a large index to find damage, too, which takes seconds.
        """
        return await self._access.index(
            lambda database: maintenance.steps(database, self._blobs, thorough=thorough)
        )

    async def check(
        self, step: str, *, deep: bool = False, repair: bool = False, grace: float = _GRACE
    ) -> list[Finding]:
        """Compare the files and the rows of one part; what is wrong.

        Args:
            step: one of `steps`.
            deep: read and verify every file.
            repair: put it right, too.
            grace: seconds for which a new file is left alone.
        """
        return await self._access.index(
            lambda database: maintenance.check(
                database, self._blobs, step, deep=deep, repair=repair, grace=grace
            )
        )

    def count(self, kind: str, what: str) -> None:
        """Count something, a moment later: one of few kinds of few different things."""
        self._journal.count(kind, what)

    async def leave_note(self, name: str, text: str) -> None:
        """Keep a text under a name, for any process that uses this folder."""

        def leave(db: Connection) -> None:
            notes.leave(db, name, text)
            announce(db, self._bounds)

        await self._access.write(leave)

    async def notes(self, prefix: str) -> dict[str, tuple[str, float]]:
        """The texts whose names start so, each with the time it was kept (since the epoch)."""
        return await self._access.read(lambda db: notes.find(db, prefix))

    async def forget_notes(self, prefix: str, *, before: float) -> None:
        """Forget the texts whose names start so that were kept before a time (since the epoch)."""
        await self._access.write(lambda db: notes.forget(db, prefix, before))

    async def close(self) -> None:
        """Write down what waits, and close the index. What was put is safe already."""
        self.looks.close()
        await self._journal.close()
        if self.tier is not None:
            await self.tier.close()
        await self._access.close(withdraw)

    def _evict_sightings(self, after: int, db: Connection) -> int:
        return sightings.evict(db, oldest(db, in_use(db, self._bounds)), _BATCH, after)

    async def _evict_step(self, keep: str = "") -> bool:
        await self._journal.flush()  # the latest uses decide what goes
        gone = await self._access.write(
            lambda db: evict_step(db, self._blobs, self._bounds, keep=keep)
        )
        self._memory.forget(info.sha256 for info in gone)
        return bool(gone)

    async def _set_aside(self, info: ImageInfo) -> None:
        trouble = await self._access.index(
            lambda database: maintenance.set_aside(database, self._blobs, info)
        )
        self._memory.forget([info.sha256])
        if trouble is not None:
            self.count("store", trouble)
            logger.warning(
                say(
                    "qqimage: the stored image {sha256} was {trouble}, and is fetched again where "
                    "that is possible; {folder} should be changed by nobody else",
                    sha256=info.sha256,
                    trouble=maintenance.in_words(trouble),
                    folder=self.folder,
                )
            )
