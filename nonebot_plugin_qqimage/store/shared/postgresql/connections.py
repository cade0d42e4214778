"""Connections to PostgreSQL, each with a deadline for whatever is asked.

asyncpg's own pool is not used: it asks the server to reset a connection whenever that is given
back, and where the server is silent, nobody is there to see what comes of it. Here a connection
that does not answer in time is ended at once, without asking the server to cancel anything.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar, cast

import anyio.to_thread

from ....errors import StoreError
from ....language import Text
from ....masking import mask_keys
from ..breaker import Refused, Unreachable

_T = TypeVar("_T")
_MOST = 4
"""Connections of one process: look-ups, bytes and the outbox are each few at a time."""
_NOT_NOW = ("08", "40", "57P", "53", "25006", "28", "3D000")
"""What the codes of errors start with that say that nobody can use the server right now: the
connection, two hosts that wait for each other, an administrator's doing, a full disk or too many
connections, a server that only reads, the password, no such database. What it refuses for another
reason is left out for ever."""

_MIXED_UP = ("26000", "42P05")
"""That a prepared statement is not there, or is there already: between two statements, a pooler
has given the server's end of the connection to somebody else."""


class Connection(Protocol):
    """What is used of asyncpg's connections, which have no types of their own."""

    async def fetch(self, query: str, *values: object) -> list[Any]:
        """Run a statement; its rows."""
        ...

    async def execute(self, query: str, *values: object) -> str:
        """Run a statement, or several without values."""
        ...

    async def executemany(self, query: str, rows: Sequence[Sequence[object]]) -> None:
        """Run a statement with the values of each row."""
        ...

    def transaction(self) -> contextlib.AbstractAsyncContextManager[None]:
        """What is done within is done at once or not at all."""
        ...

    def is_closed(self) -> bool:
        """Whether it has ended."""
        ...

    def terminate(self) -> None:
        """End it, without waiting for anything."""
        ...


class Connections:
    """A few connections to one database.

    Args:
        url: of the database, as libpq and asyncpg know it.
        timeout: seconds within which everything has to be answered.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._url = url
        self._timeout = timeout
        self._idle: list[Connection] = []
        self._places = asyncio.Semaphore(_MOST)
        self._closed = False

    async def run(
        self, work: Callable[[Connection], Awaitable[_T]], timeout: float | None = None
    ) -> _T:
        """Do some work with a connection.

        Args:
            work: the work; what it asks in several statements is one transaction only if it says.
            timeout: seconds for all of it, where it may take longer than usual.

        Raises:
            Unreachable: there is no server, or it does not answer in time.
            Refused: it answers that it will not.
        """
        used: list[Connection] = []
        task = asyncio.ensure_future(self._run(work, used))
        seconds = timeout or self._timeout
        try:
            await asyncio.wait({task}, timeout=seconds)
        finally:
            if not task.done():
                _abandon(task, used)
        if not task.done():
            raise Unreachable(Text("no answer within {seconds:g} s", seconds=seconds))
        return task.result()

    async def close(self) -> None:
        """End every connection that nobody uses, and the others once they are not used any more."""
        self._closed = True
        while self._idle:
            self._idle.pop().terminate()

    async def _run(self, work: Callable[[Connection], Awaitable[_T]], used: list[Connection]) -> _T:
        async with self._places:
            connection = await self._connection()
            used.append(connection)
            try:
                result = await work(connection)
            except Exception as error:  # noqa: BLE001  of many kinds, and all are put into words
                if connection.is_closed() or not _is_refusal(error):
                    connection.terminate()
                else:
                    self._give_back(connection)
                raise in_words(error) from None
            self._give_back(connection)
            return result

    def _give_back(self, connection: Connection) -> None:
        if self._closed or connection.is_closed():
            connection.terminate()
        else:
            self._idle.append(connection)

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        try:
            asyncpg = await anyio.to_thread.run_sync(_asyncpg)
            return cast(Connection, await asyncpg.connect(self._url, timeout=self._timeout))
        except Exception as error:  # noqa: BLE001  as above
            raise in_words(error) from None


def mixed_up() -> Refused:
    """That a pooler makes the database unusable."""
    return Refused(
        Text(
            "a pooler such as PgBouncer, in transaction or statement mode, mixes its connections "
            "up: set pool_mode = session there, with at least four connections for each bot, or "
            "connect to PostgreSQL itself"
        )
    )


def in_words(error: Exception) -> Exception:
    """What went wrong, as `Unreachable` or `Refused`; an error of ours stays what it is."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, ValueError):  # what it says may be a part of the password
        return Refused(Text("its URL cannot be used"))
    said = mask_keys(str(error) or type(error).__name__)
    code = getattr(error, "sqlstate", None)
    if code in _MIXED_UP:
        return mixed_up()
    if isinstance(code, str):
        text = Text("it refuses: {error}", error=said)
        return Unreachable(text) if code.startswith(_NOT_NOW) else Refused(text)
    if isinstance(error, (OSError, asyncio.TimeoutError, EOFError)) or _is_asyncpgs(error):
        return Unreachable(Text("cannot be reached: {error}", error=said))
    return error


def _is_refusal(error: Exception) -> bool:
    """Whether the server has answered, so that the connection can be used on."""
    return isinstance(getattr(error, "sqlstate", None), str)


def _is_asyncpgs(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] == "asyncpg"


def _abandon(task: "asyncio.Future[Any]", used: list[Connection]) -> None:
    """End work that nobody waits for any more, with the connection that it uses, if any yet."""
    task.add_done_callback(_look_at)
    if used:  # which ends the work: were that cancelled, asyncpg would ask the server to, and wait
        used[0].terminate()
    else:
        task.cancel()


def _look_at(task: "asyncio.Future[Any]") -> None:
    """Take the outcome of work that nobody waits for, or asyncio would complain of it."""
    if not task.cancelled():
        task.exception()


def _asyncpg() -> Any:
    """The library, imported in a thread: it takes some 200 ms."""
    import asyncpg  # pyright: ignore[reportMissingTypeStubs]

    return asyncpg
