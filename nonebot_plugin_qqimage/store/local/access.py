"""Access: work on the index and the files, in a few threads, with every failure put into words."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from ...errors import StoreError
from .database import Database
from .index import Index
from .rescue import is_sound, put_index_aside

_T = TypeVar("_T")
_THREADS = 4
_INDEX = "index.sqlite3"
_PASSING = ("database is locked", "database or disk is full")
"""What an open database gets over by itself."""


class Access:
    """Opens the index when it is needed, anew where it was replaced, and rescues a damaged one.

    Args:
        folder: where the store lives; made when opened.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index_path = folder / _INDEX
        self._database: Database | None = None
        self._opening = threading.Lock()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="qqimage-store")
        self._closed = False

    async def index(self, work: Callable[[Index], _T]) -> _T:
        """Do some work on the index, and maybe on files.

        Raises:
            StoreError: the store cannot be used.
        """
        return await self._in_thread(lambda: self._work(work))

    async def demand_sound_index(self) -> None:
        """Read all of the index, to find damage before it does harm.

        Raises:
            StoreError: the store cannot be used. A damaged index has been replaced then.
        """

        def look(_: Index) -> None:
            if not is_sound(self.index_path):
                raise sqlite3.DatabaseError("it is damaged")

        await self.index(look)

    async def files(self, work: Callable[[], _T]) -> _T:
        """Do some work on files alone, which is a good deal cheaper.

        Raises:
            StoreError: the store cannot be used.
        """

        def run() -> _T:
            try:
                return work()
            except OSError as error:
                raise self._cannot_use(error) from error

        return await self._in_thread(run)

    async def close(self) -> None:
        """Close the index, for good."""
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._threads, self._drop, None)
        self._threads.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        if self._closed:
            raise StoreError("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _cannot_use(self, error: OSError) -> StoreError:
        return StoreError(f"cannot use {self.folder}: {error.strerror or error}")

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
                raise self._cannot_use(error) from error
            except UnicodeEncodeError as error:  # half an emoji, as JSON can carry it
                raise StoreError(f"the index in {self.folder} has no room for {error}") from error

    def _failure(self, database: Database | None, error: sqlite3.Error) -> StoreError:
        aside = ""
        if str(error) not in _PASSING:
            self._drop(database)  # the next one opens it anew: the trouble may be over by then
        # not its children: this one means damage; and so does text that is none
        if type(error) is sqlite3.DatabaseError or "Could not decode" in str(error):
            with self._opening:
                aside = put_index_aside(self.index_path)
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
                self._database = Database(self.index_path)
            return self._database

    def _drop(self, database: Database | None) -> None:
        """Close the database, if it still is the one that is open; None for any."""
        with self._opening:
            if self._database is not None and database in (None, self._database):
                self._database.close()
                self._database = None
