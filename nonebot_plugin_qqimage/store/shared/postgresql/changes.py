"""The changes that every host is told of, each with the next number."""

import json
from typing import Any

from .connections import Connection


async def up_to_date(db: Connection, seen: int, *, alone: bool) -> bool:
    """Whether a host knows of every change; then none is made until this transaction ends.

    Args:
        db: the connection.
        seen: the number of the last change that the host knows of.
        alone: whether this transaction may make one, so that nobody else may publish meanwhile.
    """
    lock = "UPDATE" if alone else "SHARE"
    return bool(await db.fetch(f"SELECT 1 FROM qqimage.counter WHERE number = $1 FOR {lock}", seen))


async def locked(db: Connection) -> None:
    """Let nobody else change or publish anything until this transaction ends."""
    await db.execute("UPDATE qqimage.counter SET number = number + 1")


async def changed(db: Connection, kind: str, body: dict[str, Any]) -> None:
    """Tell every host of a change, in a transaction that `locked` has begun."""
    await db.execute(
        "INSERT INTO qqimage.change (number, kind, body) SELECT number, $1, $2 "
        "FROM qqimage.counter",
        *(kind, json.dumps(body)),
    )
