"""Access: work on the index and the files, in a few threads, with every failure put into words."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ....errors import StoreError
from ....language import Text
from ....threads import DaemonThreads
from ..sqlite.clock import Clock
from ..sqlite.database import Connection, Database
from .rescue import put_index_aside

_T = TypeVar("_T")
_THREADS = 4
"""Threads that read, and as many that write: more would only wait for the disk."""
_INDEX = "index.sqlite3"
_PASSING = ("database is locked", "database or disk is full")
"""What an open database gets over by itself."""


class Access:
    """Opens the index when it is needed, anew where it was replaced, and rescues a damaged one.

    Every coroutine raises `StoreError` where the store cannot be used.
    Reading has threads of its own, for all those that write may be waiting for another process.
    None of them keeps the bot from ending, for the folder may lie on a network drive that is gone.

    Args:
        folder: where the store lives; made when opened.
        clock: tells the times of uses.
    """

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.folder = folder
        self._clock = clock or Clock()
        self.index_path = folder / _INDEX
        self._database: Database | None = None
        self._opening = threading.Lock()  # one thread opens, closes or rescues it for all
        self._readers = DaemonThreads(_THREADS, "qqimage-read")
        self._writers = DaemonThreads(_THREADS, "qqimage-write")
        self._patient = DaemonThreads(1, "qqimage-count")
        self._closed = False

    async def read(self, work: Callable[[Connection], _T]) -> _T:
        """Look something up in the index; nobody who writes is waited for."""
        return await self._run(self._readers, lambda: self._use(lambda it: work(it.reader)))

    async def read_at_length(self, work: Callable[[Connection], _T]) -> _T:
        """Look something up that takes seconds, by a connection of its own: one serves one thread
        at a time, and all other readers would wait."""

        def read(database: Database) -> _T:
            with contextlib.closing(Connection(database.path, self._clock)) as connection:
                connection.run("PRAGMA query_only = ON")  # a write here would be a mistake of ours
                return work(connection)

        return await self._run(self._patient, lambda: self._use(read))

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """Change the index in one transaction."""

        def change(database: Database) -> _T:
            with database.transaction() as db:
                return work(db)

        return await self.index(change)

    async def index(self, work: Callable[[Database], _T]) -> _T:
        """Do some work on files and on the index, in as many transactions as it takes."""
        return await self._run(self._writers, lambda: self._use(work))

    async def files(self, work: Callable[[], _T], *, writing: bool = False) -> _T:
        """Do some work on files alone, which is a good deal cheaper."""

        def run() -> _T:
            try:
                return work()
            except OSError as error:
                raise self._cannot_use(error) from error

        return await self._run(self._writers if writing else self._readers, run)

    async def close(self, last: Callable[[Connection], object] = lambda _: None) -> None:
        """Close the index, for good.

        Args:
            last: writes something to it before, if it is open, and nobody has to be waited for.
        """
        if self._closed:
            return
        self._closed = True

        def end() -> None:
            if self._database is not None:
                self._database.part(last)
            self._drop(None)

        await asyncio.get_running_loop().run_in_executor(self._writers, end)
        self._readers.shutdown(wait=False)
        self._writers.shutdown(wait=False)
        self._patient.shutdown(wait=False)

    async def _run(self, threads: DaemonThreads, work: Callable[[], _T]) -> _T:
        if self._closed:
            raise StoreError(_CLOSED)
        return await asyncio.get_running_loop().run_in_executor(threads, work)

    def _use(self, work: Callable[[Database], _T]) -> _T:
        while True:
            database = None
            try:
                database = self._open()
                return work(database)
            except sqlite3.Error as error:
                if database is None or not database.closed:
                    raise self._failure(database, error) from error
                # another thread had to close it, and this one has to open it anew
            except OSError as error:
                raise self._cannot_use(error) from error
            except UnicodeEncodeError as error:  # half an emoji, as JSON can carry it
                text = Text(
                    "the index in {folder} has no room for {error}", folder=self.folder, error=error
                )
                raise StoreError(text) from error

    def _cannot_use(self, error: OSError) -> StoreError:
        reason = error.strerror or str(error)
        return StoreError(Text("cannot use {folder}: {reason}", folder=self.folder, reason=reason))

    def _failure(self, database: Database | None, error: sqlite3.Error) -> StoreError:
        if str(error) not in _PASSING:
            self._drop(database)  # the next one opens it anew: the trouble may be over by then
        aside = ""
        # not its children: this one means damage; and so does text that is none
        if type(error) is sqlite3.DatabaseError or "Could not decode" in str(error):
            with self._opening:
                aside = put_index_aside(self.index_path)
        return StoreError(
            Text(
                "the index in {folder} failed: {error}{aside}",
                folder=self.folder,
                error=str(error),
                aside=aside,
            )
        )

    def _open(self) -> Database:
        with self._opening:
            if self._closed:
                raise StoreError(_CLOSED)
            if self._database is not None and self._database.replaced:
                self._database.close()
                self._database = None
            if self._database is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._database = Database(self.index_path, self._clock)
            return self._database

    def _drop(self, database: Database | None) -> None:
        """Close the database, if it still is the one that is open; None for any."""
        with self._opening:
            if self._database is not None and database in (None, self._database):
                self._database.close()
                self._database = None


_CLOSED = Text("the store is closed")
