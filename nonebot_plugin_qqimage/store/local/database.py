"""One SQLite file: opened, brought to our schema, and used by several threads in turn.

Several processes may use the same file: WAL lets them read while one writes.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Generator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from ...errors import StoreError
from .schema import MIGRATIONS, VERSION, statements

_PATIENCE = 5.0
"""Seconds to wait for another process that writes."""
_LESS_PATIENCE = 0.2
"""The same while it was in vain the last time: many may be waiting behind."""
_ROWS = 64
"""Rows inserted at a time; older versions of SQLite take no more than 999 values."""
Row = tuple[Any, ...]


class Database:
    """An open database file. Every method blocks and belongs in a thread.

    Args:
        path: where it lies; made when missing.

    Raises:
        StoreError: it was written by a newer version of this plugin.
        sqlite3.Error: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.closed = False
        self._lock = threading.RLock()
        self._patience = _PATIENCE
        self._db = sqlite3.connect(
            path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            self._version()  # first, for the next line writes to the file
            # readers and the one writer do not block each other; it stays set in the file
            self._use_wal()
            # with WAL, a power cut may lose the last rows but cannot damage the file
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._migrate()
            self._identity = _identity(path)
        except BaseException:
            self._db.close()
            raise

    @property
    def replaced(self) -> bool:
        """Whether the file has been removed or replaced since it was opened."""
        return _identity(self.path) != self._identity

    @contextlib.contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """Everything within happens at once or not at all, and nobody else writes meanwhile."""
        with self._lock:
            self._begin()
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite has rolled back already on a full disk
                    self._db.execute("ROLLBACK")
                raise

    def rows(self, query: str, *values: object) -> list[Row]:
        """Run a statement; what it gives."""
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def run(self, statement: str, *values: object) -> int:
        """Run a statement; how many rows it changed."""
        with self._lock:
            return self._db.execute(statement, values).rowcount

    def run_many(self, statement: str, values: Sequence[Sequence[object]]) -> None:
        """Run a statement for each set of values.

        One that ends in ``VALUES`` is run for many sets at once. Each run gives the event loop its
        turn and waits for its own again, which costs ten times as much as to insert a row.
        """
        with self._lock:
            if not statement.endswith("VALUES"):
                self._db.executemany(statement, values)
                return
            for start in range(0, len(values), _ROWS):
                rows = values[start : start + _ROWS]
                row = f"({', '.join('?' * len(rows[0]))})"
                self._db.execute(
                    f"{statement} {', '.join([row] * len(rows))}", list(chain.from_iterable(rows))
                )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self.closed = True
            self._db.close()

    def _begin(self) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            self._wait(_LESS_PATIENCE)
            raise
        self._wait(_PATIENCE)

    def _wait(self, patience: float) -> None:
        if self._patience != patience:
            self._patience = patience
            self._db.execute(f"PRAGMA busy_timeout = {patience * 1000:.0f}")

    def _use_wal(self) -> None:
        statement = "PRAGMA journal_mode = WAL"
        try:
            self._db.execute(statement)
        except sqlite3.OperationalError:
            # SQLite does not wait here for another process that makes the file at the same time;
            # that is so rare that only then it is worth while to import what waits instead
            from tenacity import Retrying, retry_if_exception_message, stop_after_delay, wait_fixed

            locked = retry_if_exception_message("database is locked")
            stop = stop_after_delay(_PATIENCE)
            retrying = Retrying(retry=locked, wait=wait_fixed(0.01), stop=stop, reraise=True)
            retrying(self._db.execute, statement)

    def _version(self) -> int:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise StoreError(
                f"{self.path} was written by a newer version of nonebot-plugin-qqimage (schema "
                f"{version}, this one knows {VERSION}); update the plugin"
            )
        return version

    def _migrate(self) -> None:
        if self._version() == VERSION:
            return
        with self.transaction():  # two processes may start at once
            for script in MIGRATIONS[self._version() :]:
                for statement in statements(script):
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {VERSION}")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
