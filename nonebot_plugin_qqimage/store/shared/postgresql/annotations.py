"""The annotations in PostgreSQL: written, read and searched.

They are searched by looking at each text of a chat's pictures, or at all: that needs no extension,
and works for one Chinese character. 100,000 texts take some 100 ms.
"""

import contextlib
from collections.abc import Sequence
from typing import Any

from ...local.annotations import Annotation, digest
from ...local.unsent_annotations import Unsent
from ..shared import Search
from .changes import changed, locked, up_to_date
from .connections import Connection
from .rows import indexed, stored

_COLUMNS = "sha256, owner, text, time"
_MOST = 32
"""Owners that may say something of one picture; each host allows half as many."""
_LONGEST = 1500
"""Milliseconds that the server may search, or it would go on when nobody waits any more."""
_INSERT = f"""
INSERT INTO qqimage.annotation AS a ({_COLUMNS}, store)
SELECT sha256, owner, text, least(time, extract(epoch FROM clock_timestamp())::float8), $5::text
FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[]) AS new ({_COLUMNS})
WHERE EXISTS (SELECT 1 FROM qqimage.annotation o WHERE o.sha256 = new.sha256
    AND o.owner = new.owner)
OR (SELECT count(*) FROM qqimage.annotation o WHERE o.sha256 = new.sha256
    AND o.text <> '') < {_MOST}
ORDER BY sha256, owner
ON CONFLICT (sha256, owner) DO UPDATE SET text = excluded.text, time = excluded.time,
    -- where two have said the same, both keep it
    store = CASE WHEN a.store <> excluded.store AND a.text = excluded.text
        THEN '' ELSE excluded.store END
WHERE a.time <= excluded.time
RETURNING sha256, owner, xmax = 0
"""


class _Replaces(Exception):
    """What is written takes the place of something, of which every host has to be told."""


async def write(
    db: Connection, said: Sequence[Unsent], store: str, *, seen: int, ahead: float
) -> bool:
    """Write down what owners say of pictures that are there, or kept; the latest of each counts.

    Where something is replaced or taken back that another store may have kept, every host is told:
    that one would tell of it again, once the picture has gone from here, and this with it.

    Args:
        db: the connection.
        said: what they say.
        store: the name of the local store that keeps it.
        seen: the number of the last change that the host knows of.
        ahead: seconds by which the database's clock is ahead of the host's.

    Returns:
        False where there are later changes; nothing is written then.
    """
    texts = {(each.sha256, stored(each.owner)): stored(each.text) for each in said}
    # nothing else can replace them before it is locked, or there is a later change
    before = await _texts(db, [*texts])
    # of what is taken back all are told: it may have gone from here before, and come again
    same = {
        key
        for key, (text, by) in before.items()
        if texts[key] == text or (texts[key] and by == store)
    }
    replaces = any(key not in same and (key in before or not texts[key]) for key in texts)
    for alone in (True,) if replaces else (False, True):
        with contextlib.suppress(_Replaces):  # another host has said something at this moment
            return await _write(db, said, store, same, seen=seen, ahead=ahead, alone=alone)
    return False


async def _write(
    db: Connection,
    said: Sequence[Unsent],
    store: str,
    same: set[tuple[str, str]],
    *,
    seen: int,
    ahead: float,
    alone: bool,
) -> bool:
    async with db.transaction():
        # nobody can forget anything until this is written, and none of it is forgotten yet
        if not await up_to_date(db, seen, alone=alone):
            return False
        inserted = await _insert(db, said, store, ahead)
        texts = {(each.sha256, stored(each.owner)): stored(each.text) for each in said}
        rest = [key for key, text in texts.items() if not text or key not in inserted]
        after = await _texts(db, rest) if rest else {}
        last = list[tuple[str, str, str]]()
        for key in rest:
            now, _ = after.get(key, (None if texts[key] else "", ""))
            # else nothing is there, or nobody else has kept anything else
            if now is not None and not (key in same and now == texts[key]):
                last.append((*key, digest(now)))
        if last and not alone:
            raise _Replaces
        if last:
            await locked(db)
            await changed(db, "annotations", {"last": last})
    return True


async def _insert(
    db: Connection, said: Sequence[Unsent], store: str, ahead: float
) -> set[tuple[str, str]]:
    """Write it down; what was not there before, by SHA-256 and owner."""
    digests = sorted({each.sha256 for each in said})
    # locked, so that none is evicted before its annotations are there to go with it
    rows = await db.fetch(
        "SELECT sha256 FROM qqimage.image WHERE sha256 = ANY($1) ORDER BY sha256 FOR KEY SHARE",
        digests,
    )
    kept = await db.fetch("SELECT sha256 FROM qqimage.pin WHERE sha256 = ANY($1)", digests)
    there = {row[0] for row in (*rows, *kept)}
    new = {(each.sha256, stored(each.owner)): each for each in said if each.sha256 in there}
    written = await db.fetch(
        _INSERT,
        [sha256 for sha256, _ in new],
        [owner for _, owner in new],
        [stored(each.text) for each in new.values()],
        [each.time + ahead for each in new.values()],
        store,
    )
    return {(sha256, owner) for sha256, owner, is_new in written if is_new}


async def _texts(
    db: Connection, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, str]]:
    """What is said of pictures, and the store that keeps it, by their SHA-256 and the owner."""
    rows = await db.fetch(
        "SELECT sha256, owner, text, store FROM qqimage.annotation "
        "JOIN unnest($1::text[], $2::text[]) AS asked (sha256, owner) USING (sha256, owner)",
        [sha256 for sha256, _ in keys],
        [owner for _, owner in keys],
    )
    return {(sha256, owner): (text, store) for sha256, owner, text, store in rows}


async def forget(db: Connection, digests: Sequence[str]) -> None:
    """Forget what is known of some pictures, in the transaction that forgets these."""
    await db.execute("DELETE FROM qqimage.annotation WHERE sha256 = ANY($1)", digests)


async def of(db: Connection, sha256: str) -> list[Annotation]:
    """What owners have said last of a picture; a text is empty where it was taken back."""
    rows = await db.fetch(f"SELECT {_COLUMNS} FROM qqimage.annotation WHERE sha256 = $1", sha256)
    return [Annotation(*row) for row in rows]


async def search(
    db: Connection, search: Search, known: Sequence[Annotation]
) -> tuple[list[Annotation], list[Annotation]]:
    """The annotations that are meant, and what the owners of some have said last."""
    # as SQLite does, ASCII letters alone are found in either case
    conditions, values = ["text <> ''"], list[Any]()
    for word in search.words:
        values.append(stored(word))
        conditions.append(
            f'strpos(lower(text COLLATE "C"), lower(${len(values)}::text COLLATE "C")) > 0'
        )
    if search.owner is not None:
        values.append(stored(search.owner))
        conditions.append(f"owner = ${len(values)}")
    if search.chat is not None:
        values.append(indexed(search.chat))
        conditions.append(
            "EXISTS (SELECT 1 FROM qqimage.sighting s WHERE s.sha256 = a.sha256 "
            f"AND s.sha256 <> '' AND s.chat = ${len(values)})"
        )
    async with db.transaction():
        await db.execute(f"SET LOCAL statement_timeout = {_LONGEST}")
        found = await db.fetch(
            f"SELECT {_COLUMNS} FROM qqimage.annotation a WHERE {' AND '.join(conditions)} "
            f"ORDER BY time DESC, sha256, owner LIMIT {search.limit:d}",
            *values,
        )
        now = await db.fetch(
            f"SELECT {_COLUMNS} FROM qqimage.annotation JOIN unnest($1::text[], $2::text[]) "
            "AS known (sha256, owner) USING (sha256, owner)",
            [each.sha256 for each in known],
            [stored(each.owner) for each in known],
        )
    return [Annotation(*row) for row in found], [Annotation(*row) for row in now]
