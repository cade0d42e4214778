"""Thumbnails on demand: two at a time, in threads, each made once."""

import asyncio

from cachetools import LRUCache

from ..content.info import ImageInfo
from ..content.thumbnails import thumbnail
from ..errors import AttemptFailed
from ..store.image_store import ImageStore
from ..threads import DaemonThreads

_AT_ONCE = 2
"""Pictures decoded at once: the others wait without their bytes in memory."""
_MAX_WAITING = 256
"""Pictures that wait; a page has 60."""
_MAX_FAILED = 4096
"""Pictures remembered that cannot be decoded: trying each time would cost as much each time."""


class Busy(Exception):
    """Too many thumbnails are waited for already."""


class Thumbnailing:
    """Makes the thumbnails of stored images, and has the store keep them.

    Args:
        store: has the images.
        max_decoded: pixels of one image that may be decoded.
    """

    def __init__(self, store: ImageStore, max_decoded: int) -> None:
        self._store = store
        self._max_decoded = max_decoded
        self._threads = DaemonThreads(_AT_ONCE, "qqimage-thumbnail")
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._failed: LRUCache[str, bool] = LRUCache(_MAX_FAILED)
        self._waiting = 0

    async def get(self, info: ImageInfo) -> bytes | None:
        """The thumbnail of an image, as WebP; None where none can be made.

        Raises:
            Busy: ask again later.
            StoreError: the store cannot be read.
        """
        if info.sha256 in self._failed:
            return None
        data = await self._store.browsing.thumbnail(info)
        if data is not None:
            return data
        if self._waiting >= _MAX_WAITING:
            raise Busy
        self._waiting += 1
        try:
            async with self._turns:  # another request may have made it meanwhile
                return await self._store.browsing.thumbnail(info) or await self._make(info)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads, once they are free."""
        self._threads.shutdown(wait=False)

    async def _make(self, info: ImageInfo) -> bytes | None:
        original = await self._store.read(info)
        if original is None:  # damaged, or gone a moment ago
            return None
        loop, limit = asyncio.get_running_loop(), self._max_decoded
        try:
            data = await loop.run_in_executor(
                self._threads, lambda: thumbnail(original, info, limit)
            )
        except AttemptFailed:
            self._failed[info.sha256] = True
            return None
        await self._store.browsing.keep_thumbnail(info, data)
        return data
