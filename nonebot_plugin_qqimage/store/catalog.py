"""What the store holds, for those who list or examine it: the command line and the doctor."""

from collections.abc import Callable

from ..language import Text
from .local import digests, images, notes, outbox, unsent_annotations
from .local.access.access import Access
from .local.digests import Trust
from .local.facts import Description, Selection, Statistics, Stored, Totals
from .local.files.blobs import Blobs
from .local.sightings import sightings
from .local.sightings.sightings import Query
from .local.sqlite.database import Connection
from .local.upkeep.bounds import Bounds, announced
from .memory.journal import Journal


class Catalog:
    """Answers questions about all that is stored, and all that was noted so far.

    Every coroutine raises `StoreError` where the store cannot be read.

    Args:
        access: to the index and the files.
        journal: what is yet to be written down.
        blobs: where the files are.
    """

    def __init__(self, access: Access, journal: Journal, blobs: Blobs) -> None:
        self._access = access
        self._journal = journal
        self._blobs = blobs

    async def counters(self, kind: str) -> dict[str, int]:
        """What has been counted of a kind with `ImageStore.count`, the most frequent first."""
        await self._journal.flush()
        return await self._access.read(lambda db: notes.counters(db, kind))

    def last_hour(self, kind: str) -> dict[str, int]:
        """What this process has counted of a kind in the last hour."""
        return self._journal.last_hour.counted(kind)

    def watch(self, told: Callable[[str, str], None]) -> None:
        """Be told of each thing that this process counts: its kind, and what.

        Args:
            told: it must neither raise nor take long.
        """
        self._journal.watch = told

    async def bounds(self) -> dict[str, Bounds]:
        """The bounds of each process that uses the store, by host and process."""
        return await self._access.read(announced)

    async def outbox(self) -> dict[str, int]:
        """How much waits to be sent to the shared store, by kind."""
        return await self._access.read(_waiting)

    async def trust_in_links(self) -> Trust:
        """How often QQ's links have told the truth about their content."""
        return await self._access.read(digests.trust)

    async def quarantined(self) -> Totals:
        """How many files have been put aside as damaged, and their bytes."""
        return await self._access.files(self._blobs.aside.totals)

    async def statistics(self) -> Statistics:
        """How much of everything there is, counted: seconds for a million images."""
        await self._journal.flush()
        aside = await self.quarantined()
        return await self._access.read_at_length(lambda db: _statistics(db, aside))

    async def select(
        self, selection: Selection, *, limit: int, after: str | None = None
    ) -> list[Stored]:
        """Images that fit, some at a time.

        Args:
            selection: which.
            limit: how many at most.
            after: only those behind this SHA-256, in the order of their digests; None for those
                used last, the latest first.
        """
        await self._journal.flush()
        return await self._access.read(
            lambda db: images.select(db, selection, limit=limit, after=after)
        )

    async def measure(self, selection: Selection) -> Totals:
        """How many images fit, and of how many bytes."""
        await self._journal.flush()
        return await self._access.read(lambda db: images.measure(db, selection))

    async def count_sightings(self, *, chat: str | None = None, user: str | None = None) -> int:
        """How many sightings there are: all of them, or those in a chat, or of a user, or both."""
        await self._journal.flush()
        return await self._access.read(lambda db: sightings.count(db, chat=chat, user=user))

    async def describe(self, digits: str, *, max_sightings: int) -> list[Description]:
        """The images that some hex digits may mean: none, one, or two where more digits are needed.

        Args:
            digits: an MD5, or what a SHA-256 begins with; in lower case.
            max_sightings: how many of each, the latest ones.
        """
        await self._journal.flush()
        return await self._access.read(lambda db: _describe(db, digits, max_sightings))

    async def index_trouble(self) -> str:
        """What is wrong with the index, in words; empty when nothing is. It reads all of it."""
        return await self._access.read(_index_trouble)


def _waiting(db: Connection) -> dict[str, int]:
    unsent = unsent_annotations.waiting(db)
    return {**outbox.waiting(db), **({"annotation": unsent} if unsent else {})}


def _statistics(db: Connection, aside: Totals) -> Statistics:
    return Statistics(
        totals=images.totals(db),
        by_type=images.counted_by(db, "mime"),
        by_source=images.counted_by(db, "source"),
        resolved=notes.counters(db, "resolved"),
        failed=notes.counters(db, "failed"),
        delayed=notes.counters(db, "delayed"),
        left_out=notes.counters(db, "left out"),
        store_trouble=notes.counters(db, "store"),
        sightings=sightings.count(db),
        pinned=images.pinned(db),
        quarantine=aside,
        links=digests.trust(db),
    )


def _describe(db: Connection, digits: str, max_sightings: int) -> list[Description]:
    named = images.by_digest(db, digits, "md5")
    prefix = digits if named is None else named.sha256
    return [
        Description(
            stored=stored,
            names=images.names(db, stored.info.sha256),
            pins=images.pins(db, stored.info.sha256),
            sightings=sightings.find(db, Query(max_sightings, stored.info.sha256)),
        )
        for stored in images.select(db, Selection(prefix=prefix), limit=2, after="")
    ]


def _index_trouble(db: Connection) -> str:
    if wrong := db.quick_check():
        return wrong
    noted, counted = images.noted_and_counted(db)
    if noted == counted:
        return ""
    return Text(
        "{noted} images of {noted_bytes} bytes are noted, but {counted} of {counted_bytes} bytes "
        "are there",
        noted=noted.images,
        noted_bytes=noted.bytes,
        counted=counted.images,
        counted_bytes=counted.bytes,
    )
