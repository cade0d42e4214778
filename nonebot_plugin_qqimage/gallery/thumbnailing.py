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
        self._making: dict[str, asyncio.Task[bytes | None]] = {}

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
        task = self._making.get(info.sha256)
        if task is None:
            if len(self._making) >= _MAX_WAITING:
                raise Busy
            task = self._making[info.sha256] = asyncio.create_task(self._in_turn(info))
            task.add_done_callback(lambda done: self._made(info.sha256, done))
        return await asyncio.shield(task)  # others may wait for it, too

    def close(self) -> None:
        """End what is under way, and the threads once they are free."""
        for task in self._making.values():
            task.cancel()
        self._threads.shutdown(wait=False)

    def _made(self, sha256: str, task: "asyncio.Task[bytes | None]") -> None:
        del self._making[sha256]
        if not task.cancelled():
            task.exception()  # whoever waits has it; and perhaps nobody does any more

    async def _in_turn(self, info: ImageInfo) -> bytes | None:
        async with self._turns:
            return await self._make(info)

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
