"""Looks whether a pooler such as PgBouncer gives the server's end of one connection to others."""

from ..breaker import Refused, Unreachable
from .connections import Connection, Connections, mixed_up

_PATIENCE = 10.0
"""Seconds for all of it; each question has the usual deadline."""


async def refuse_pooler(connections: Connections) -> None:
    """Refuse to go on where statements that were prepared are lost between connections.

    A pooler does not say that it is one. But two connections that are open at once have two
    processes of the server, unless a pooler lends one process to both (PgBouncer where
    ``pool_mode`` is ``transaction`` or ``statement``). Where all processes are busy at this moment
    that may not show; it does later, when a statement is not found.

    Raises:
        Refused: there is such a pooler.
        Unreachable: there is no server, or it does not answer in time.
    """

    async def share(one: Connection) -> bool:
        async def compare(other: Connection) -> bool:
            before, its, after = await _process(one), await _process(other), await _process(one)
            return not before == after != its

        try:
            return await connections.run(compare)
        except Unreachable:  # there may be room for one connection alone
            return False

    async def keep_busy(other: Connection) -> None:
        async with other.transaction():
            await _process(other)
            await connections.run(_process)  # what was prepared before, in another process

    if await connections.run(share, _PATIENCE):
        try:  # some poolers take what was prepared along
            await connections.run(keep_busy, _PATIENCE)
        except (Refused, Unreachable):
            raise mixed_up() from None


async def _process(db: Connection) -> int:
    ((process,),) = await db.fetch("SELECT pg_backend_pid()")
    return int(process)
