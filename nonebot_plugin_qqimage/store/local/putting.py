"""Putting: an image's file in a thread of its own, then the rows of many images at a time."""

from collections.abc import Sequence
from typing import NamedTuple

from ...content.info import ImageInfo
from ...errors import StoreError
from .access import Access
from .batching import Batching
from .blobs import Blobs
from .eviction import exceeded
from .index import Index
from .maintenance import set_aside

_TRIES = 5
_MOST_ROWS = 64


class _Row(NamedTuple):
    """An image to be written down."""

    info: ImageInfo
    name: str
    source: str
    expected: bytes | None
    """What its file must hold; None where that has just been written."""


class Putting:
    """Writes images down once their files are in place.

    Args:
        access: to the index and the files.
        blobs: where the files are.
        max_size: bytes the store may hold.
        max_age: seconds since its last use after which an image may go.
    """

    def __init__(self, access: Access, blobs: Blobs, *, max_size: int, max_age: float) -> None:
        self._access = access
        self._blobs = blobs
        self._max_size = max_size
        self._max_age = max_age
        self._rows = Batching(access, self._add, _MOST_ROWS)

    async def put(self, info: ImageInfo, name: str, data: bytes, source: str) -> bool:
        """Keep an image, and a name for it (none when empty).

        Returns:
            Whether the store exceeds its bounds with it.

        Raises:
            StoreError: it cannot be kept; nothing is lost that was there before.
        """

        def write(index: Index) -> bool:
            try:
                self._blobs.write(info, data)
            except FileExistsError:
                set_aside(index, self._blobs, info)
                return False
            return True

        there = self._blobs.remembers(info)
        for _ in range(_TRIES):
            if not there and not await self._access.index(write):
                continue
            full = await self._rows.ask(_Row(info, name, source, data if there else None))
            if full is not None:
                return full
            there = False
        path = self._blobs.path(info)
        raise StoreError(f"{path} cannot be kept: it is damaged, or gone, at once")

    def _add(self, index: Index, rows: Sequence[_Row]) -> list[bool | None]:
        """Write rows whose files are there: whether the store exceeds its bounds, else None."""
        blobs = self._blobs
        sound = [row.expected is None or blobs.intact(row.info, row.expected) for row in rows]
        new = False
        with index.transaction():
            for place, row in enumerate(rows):
                # it may have been evicted since: nobody can do that in here
                sound[place] = sound[place] and blobs.there(row.info)
                if sound[place]:
                    new |= index.add(row.info, row.name, row.source)
        full = new and exceeded(index, max_size=self._max_size, max_age=self._max_age)
        return [full if kept else None for kept in sound]
