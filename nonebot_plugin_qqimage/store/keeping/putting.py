"""Putting: an image's file first, in a thread of its own, then the rows of many at a time."""

from collections.abc import Sequence
from typing import NamedTuple

from ...batching import Batching
from ...content.info import ImageInfo
from ...errors import StoreError
from ...language import Text
from ...messages.claims import confirmed
from ...messages.reference import ImageReference
from ..local import digests, images, outbox
from ..local.access.access import Access
from ..local.digests import Agreement, Trust
from ..local.files.blobs import Blobs
from ..local.sqlite.database import Database
from ..local.upkeep.bounds import Bounds, announce
from ..local.upkeep.eviction import exceeded
from ..local.upkeep.forgetting import mark
from ..local.upkeep.maintenance import set_aside

_TRIES = 5
"""How often an image is written that vanishes, or is damaged, at once."""
_MOST_ROWS = 64
"""Rows in one transaction: others that write wait meanwhile."""


class _Row(NamedTuple):
    """An image to be written down."""

    info: ImageInfo
    names: tuple[str, ...]
    source: str
    agreement: Agreement | None
    expected: bytes | None
    """What its file must hold; None where that has just been written."""
    send: bool
    """Whether the shared store is to be told."""


class Putting:
    """Keeps images: each file, then its row.

    Args:
        access: to the index and the files.
        blobs: where the files are.
        bounds: those of the store.
    """

    def __init__(self, access: Access, blobs: Blobs, bounds: Bounds) -> None:
        self._access = access
        self._blobs = blobs
        self._bounds = bounds
        self._rows = Batching(self._add_rows, _MOST_ROWS)
        self.mark = ""
        """What `forgetting.mark` was when a row was last written."""
        self.trust: Trust | None = None
        """How often links have told the truth, since it was last counted here."""

    async def put(
        self,
        info: ImageInfo,
        names: tuple[str, ...],
        data: bytes,
        source: str,
        agreement: Agreement | None,
        *,
        send: bool = False,
    ) -> bool:
        """Keep an image, names for it, and whether its link told the truth.

        With `send`, the shared store is told of it: that is noted in the same transaction.

        Returns:
            Whether the store exceeds its bounds with it.

        Raises:
            StoreError: it cannot be kept; nothing is lost that was there before.
        """
        there = self._blobs.remembers(info)
        for _ in range(_TRIES):
            if not there and not await self._write(info, data):
                continue
            row = _Row(info, names, source, agreement, data if there else None, send)
            full = await self._rows.ask(row)
            if full is not None:
                return full
            there = False
        path = self._blobs.path(info)
        raise StoreError(Text("{path} cannot be kept: it is damaged, or gone, at once", path=path))

    async def _write(self, info: ImageInfo, data: bytes) -> bool:
        """Write the file; False if a damaged one was in the way, which has been put aside."""

        def write() -> bool:
            try:
                self._blobs.write(info, data)
            except FileExistsError:
                return False
            return True

        if await self._access.files(write, writing=True):
            return True
        await self._access.index(lambda database: set_aside(database, self._blobs, info))
        return False

    async def _add_rows(self, rows: Sequence[_Row]) -> Sequence[bool | None]:
        return await self._access.index(lambda database: self._add(database, rows))

    def _add(self, database: Database, rows: Sequence[_Row]) -> list[bool | None]:
        """Write rows whose files are there: whether the store exceeds its bounds, else None."""
        blobs, new = self._blobs, False
        sound = [row.expected is None or blobs.intact(row.info, row.expected) for row in rows]
        with database.transaction() as db:
            announce(db, self._bounds)
            for place, row in enumerate(rows):
                # another process may have evicted it since; nobody can as long as this lasts
                sound[place] = sound[place] and blobs.there(row.info)
                if sound[place]:
                    is_new = images.add(db, row.info, "", row.source)
                    images.add_names(db, row.info, row.names)
                    new |= is_new
                    if row.send and (is_new or row.names):
                        outbox.add_image(db, row.info.sha256, row.names, row.source)
            self.mark = mark(db)
            agreements = [row.agreement for row in rows if row.agreement]
            if agreements:
                digests.observe(db, agreements)
                self.trust = digests.trust(db)
        full = new and exceeded(database.reader, self._bounds)
        return [full if kept else None for kept in sound]


def names_of(reference: ImageReference, info: ImageInfo, *, by_link: bool) -> tuple[str, ...]:
    """What an image is found by, beside digests that confirm it.

    Args:
        reference: what means it.
        info: the image.
        by_link: whether its bytes came by the reference's link.
    """
    link, sure = reference.link, confirmed(info, reference, binding=False)
    if reference.names and (link is None or (by_link and not (sure and link.sha1))):
        return reference.names[:1]
    place = (reference.own_key,) if reference.place else ()
    return () if sure else tuple(filter(None, (*place, reference.anywhere)))
