"""The store: verified image bytes that stay when every link to them has died.

Blobs are files; the index knows their facts and names. This module joins the two and keeps both
off the event loop: the index on its one thread, files on worker threads.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import anyio.to_thread

from ..content import ImageInfo
from ..errors import StoreError
from ..reference import ImageReference
from .blobs import Blobs
from .eviction import evict_step
from .index import Index, Totals

_T = TypeVar("_T")


class ImageStore:
    """Images below one folder, shared by every process that uses it.

    Args:
        folder: where the store lives; made when opened.
        max_size: bytes it may hold.
        max_age: seconds since its last use after which an image may go.
    """

    def __init__(self, folder: Path, *, max_size: int, max_age: float) -> None:
        self.folder = folder
        self._max_size = max_size
        self._max_age = max_age
        self._blobs = Blobs(folder)
        self._index: Index | None = None
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="qqimage-index")

    async def find(self, reference: ImageReference) -> ImageInfo | None:
        """The image a reference means, when it is known already.

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

        return await self._on_index(look_up)

    async def put(
        self, reference: ImageReference, info: ImageInfo, data: bytes, source: str
    ) -> None:
        """Keep verified bytes, and remember what the reference means.

        Raises:
            StoreError: they cannot be kept; nothing is lost that was there before.
        """
        # a name that the content does not confirm must not speak for other messages
        confirmed = reference.md5 == info.md5 and reference.size in (None, info.size)
        name = "" if confirmed else reference.name
        try:
            await anyio.to_thread.run_sync(self._blobs.write, info, data)
        except OSError as error:
            raise StoreError(f"cannot write {self.folder}: {error.strerror or error}") from error
        await self._on_index(lambda index: index.add(info, name, source))
        await self.evict()

    async def read(self, info: ImageInfo) -> bytes | None:
        """The bytes of a stored image, verified.

        Returns:
            None when its file is missing or damaged; the store forgets it then.

        Raises:
            StoreError: it cannot be read.
        """
        try:
            data = await anyio.to_thread.run_sync(self._blobs.read, info)
        except OSError as error:
            raise StoreError(f"cannot read {self.folder}: {error.strerror or error}") from error
        if data is None:
            await self._on_index(lambda index: index.remove([info]))
        return data

    def path(self, info: ImageInfo) -> Path:
        """Where the image's file is."""
        return self._blobs.path(info)

    async def evict(self) -> None:
        """Bring the store within its bounds.

        Raises:
            StoreError: the store cannot be written.
        """
        while await self._on_index(
            lambda index: evict_step(
                index, self._blobs, max_size=self._max_size, max_age=self._max_age
            )
        ):
            pass

    async def totals(self) -> Totals:
        """How much the store holds.

        Raises:
            StoreError: the store cannot be read.
        """
        return await self._on_index(Index.totals)

    async def close(self) -> None:
        """Close the index. What was put is safe already."""

        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._drop_index)
        self._thread.shutdown(wait=False)

    async def _on_index(self, work: Callable[[Index], _T]) -> _T:
        def run() -> _T:
            try:
                if self._index is None:  # again after a failure: the disk may be free by now
                    self.folder.mkdir(parents=True, exist_ok=True)
                    self._index = Index(self.folder / "index.sqlite3")
                return work(self._index)
            except sqlite3.Error as error:
                self._drop_index()  # somebody may have replaced the file it has open
                raise StoreError(f"the index in {self.folder} failed: {error}") from error
            except OSError as error:
                reason = error.strerror or error
                raise StoreError(f"cannot use {self.folder}: {reason}") from error

        if self._closed:
            raise StoreError("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    def _drop_index(self) -> None:
        if self._index is not None:
            self._index.close()
            self._index = None


__all__ = ["ImageStore", "Totals"]
