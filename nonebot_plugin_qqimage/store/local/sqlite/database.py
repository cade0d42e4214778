"""One SQLite file, with a connection that writes and one that only reads.

Several processes may use the same file: WAL lets everybody read while one writes.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ....errors import StoreError
from ....language import Text
from .clock import Clock
from .schema import MIGRATIONS, VERSION, additions, statements

_PATIENCE = 5.0
"""Seconds to wait for another process that writes."""
_LESS_PATIENCE = 0.2
"""Seconds to wait where that was in vain the last time: many may be waiting behind."""
_PAGE = 1024
"""Bytes of a page in new files; older ones keep theirs."""
_LOG = 4 * 1024 * 1024
"""Bytes of the write-ahead log that are moved into the file at a time."""
CLOCK_NOTE = "clock"
"""The name of the note that says what the time was, and how long ageing has to wait."""
_ROWS = 64
"""Rows inserted by one statement; older versions of SQLite take no more than 999 values."""
Row = tuple[Any, ...]


def where(given: Mapping[str, object | None]) -> tuple[str, list[object]]:
    """What all of some conditions are in SQL, with their values.

    Args:
        given: each condition, with the value in it; one whose value is None is left out.
    """
    fitting = {condition: value for condition, value in given.items() if value is not None}
    return " AND ".join(fitting) or "TRUE", [*fitting.values()]


class Connection:
    """An open connection. Every method blocks and belongs in a thread.

    Args:
        path: the file; made when missing.
        clock: tells the times of uses.

    Raises:
        sqlite3.Error: it cannot be opened.
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        """Tells the times of uses."""
        self.lock = threading.RLock()
        """Held by the one thread that uses it: a transaction belongs to the whole connection."""
        self._db = sqlite3.connect(
            path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )

    def rows(self, query: str, *values: object) -> list[Row]:
        """Run a statement; what it gives."""
        with self.lock:
            return self._db.execute(query, values).fetchall()

    def run(self, statement: str, *values: object) -> int:
        """Run a statement; how many rows it changed."""
        with self.lock:
            return self._db.execute(statement, values).rowcount

    def run_many(self, statement: str, values: Iterable[Row]) -> None:
        """Run a statement for each set of values."""
        with self.lock:
            self._db.executemany(statement, values)

    def insert_many(self, statement: str, rows: Iterable[Row]) -> None:
        """Insert many rows with few statements.

        Each statement gives the event loop its turn and waits for its own again, which costs ten
        times as much as to insert a row.

        Args:
            statement: one that ends in ``VALUES``.
            rows: the values of each row.
        """
        waiting = iter(rows)
        with self.lock:
            while some := [*islice(waiting, _ROWS)]:
                row = f"({', '.join('?' * len(some[0]))})"
                every = ", ".join([row] * len(some))
                self._db.execute(f"{statement} {every}", [*chain.from_iterable(some)])

    def quick_check(self) -> str:
        """What SQLite finds wrong with the file, in its words; empty when nothing."""
        found = self.rows("PRAGMA quick_check(3)")
        return "" if found == [("ok",)] else "; ".join(str(row[0]) for row in found)

    def close(self) -> None:
        """Close it, once no other thread uses it."""
        with self.lock:
            self._db.close()


class Database:
    """An open database file, brought to our schema.

    Args:
        path: where it lies; made when missing.
        clock: tells the times of uses, and is told of those in the file.

    Raises:
        StoreError: it was written by a newer version of this plugin.
        sqlite3.Error: it cannot be opened.
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        clock = clock or Clock()
        self.path = path
        self.closed = False
        self._patience = _PATIENCE
        _make_private(path)
        with contextlib.ExitStack() as undo:
            self._writer = Connection(path, clock)
            undo.callback(self._writer.close)
            self._version()  # first, for the next line writes to the file
            # of a new file only. An image changes some twenty pages that have nothing else to
            # change: with SQLite's 4096 bytes a page, the index wrote as much as half of the images
            self._writer.run(f"PRAGMA page_size = {_PAGE}")
            # readers and the one writer do not block each other; it stays set in the file
            self._use_wal()
            # as many bytes as by default, for the write-ahead log is sized in pages
            self._writer.run(f"PRAGMA wal_autocheckpoint = {_LOG // _PAGE}")
            # with WAL, a power cut may lose the last rows but cannot damage the file
            self._writer.run("PRAGMA synchronous = NORMAL")
            self._writer.run("PRAGMA foreign_keys = ON")
            self._migrate()
            self.reader = Connection(path, clock)
            """What only reads: it waits neither for this process's transactions nor for others'."""
            undo.callback(self.reader.close)
            self.reader.run("PRAGMA query_only = ON")  # a write here would be a mistake of ours
            clock.begin(*self._times())
            self._identity = _identity(path)
            undo.pop_all()

    @property
    def replaced(self) -> bool:
        """Whether the file has been removed or replaced since it was opened."""
        return _identity(self.path) != self._identity

    @contextlib.contextmanager
    def transaction(self) -> Generator[Connection, None, None]:
        """Everything within happens at once or not at all, and nobody else writes meanwhile.

        The connection that it gives must not be used outside.
        """
        with self._writer.lock:
            self._begin()
            try:
                yield self._writer
                self._writer.run("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # SQLite has done it on a full disk
                    self._writer.run("ROLLBACK")
                raise

    def part(self, work: Callable[[Connection], object]) -> None:
        """Write something at the end that is not worth waiting for, such as taking a note back."""
        with self._writer.lock, contextlib.suppress(sqlite3.Error):
            self._writer.run(f"PRAGMA busy_timeout = {_LESS_PATIENCE * 1000:.0f}")
            work(self._writer)

    def close(self) -> None:
        """Close the file, once no other thread uses it."""
        with self._writer.lock, self.reader.lock:  # in the order in which others take both
            self.closed = True
            self._writer.close()
            self.reader.close()

    def _begin(self) -> None:
        try:
            self._writer.run("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            self._wait(_LESS_PATIENCE)
            raise
        self._wait(_PATIENCE)

    def _wait(self, patience: float) -> None:
        if self._patience != patience:
            self._patience = patience
            self._writer.run(f"PRAGMA busy_timeout = {patience * 1000:.0f}")

    def _use_wal(self) -> None:
        statement = "PRAGMA journal_mode = WAL"
        try:
            self._writer.run(statement)
        except sqlite3.OperationalError:
            # SQLite does not wait here for another process that makes the file at the same time;
            # that is so rare that only then it is worth while to import what waits instead
            from tenacity import Retrying, retry_if_exception_message, stop_after_delay, wait_fixed

            locked = retry_if_exception_message("database is locked")
            stop = stop_after_delay(_PATIENCE)
            retrying = Retrying(retry=locked, wait=wait_fixed(0.01), stop=stop, reraise=True)
            retrying(self._writer.run, statement)

    def _version(self) -> int:
        ((version,),) = self._writer.rows("PRAGMA user_version")
        if version > VERSION:
            raise StoreError(
                Text(
                    "{path} was written by a newer version of nonebot-plugin-qqimage (schema "
                    "{version}, this one knows {known}); update the plugin",
                    path=self.path,
                    version=version,
                    known=VERSION,
                )
            )
        return version

    def _migrate(self) -> None:
        if self._version() == VERSION and not any(additions(self._writer)):
            return
        with self.transaction() as db:  # two processes may start at once
            for statement in self._missing():
                db.run(statement)
            db.run(f"PRAGMA user_version = {VERSION}")
            for statement in additions(db):
                db.run(statement)

    def _times(self) -> tuple[float, float | None, float]:
        """For `Clock.begin`: the latest use, and what was noted of the time, and when."""
        try:
            ((latest,),) = self.reader.rows("SELECT coalesce(max(used), 0) FROM images")
            noted = self.reader.rows("SELECT time, text FROM notes WHERE name = ?", CLOCK_NOTE)
            return (latest, noted[0][0], float(noted[0][1])) if noted else (latest, None, 0.0)
        except (sqlite3.Error, ValueError):  # damaged, as whoever looks further will find out
            return 0.0, None, 0.0

    def _missing(self) -> Iterator[str]:
        for script in MIGRATIONS[self._version() :]:
            yield from statements(script)


def _make_private(path: Path) -> None:
    """Let this user alone read the index, which says who sent what; SQLite's other files follow."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(OSError):  # not there, somebody else's, or no such modes
            os.chmod(f"{path}{suffix}", 0o600)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
