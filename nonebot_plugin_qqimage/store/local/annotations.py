"""The table of annotations: what plugins have found out about pictures. Every function blocks.

Texts are searched with SQLite's full-text search where it is there, by its tokenizer of three
characters in a row, which works for Chinese; words of one or two characters, and without it all, by
looking at each text. A process without it may share the folder, so texts are marked that it has
left out; and what it has removed stays in the full-text table until `tidy`, where nothing finds it.
"""

import hashlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from . import unsent_annotations
from .sightings.rows import storable
from .sqlite.database import Connection
from .sqlite.schema import has_full_text

_ORPHANED = "sha256 NOT IN (SELECT sha256 FROM images) AND sha256 NOT IN (SELECT sha256 FROM pins)"
_COLUMNS = "annotations.sha256, owner, text, annotations.time"
_MOST = 16
"""Owners that may say something of one picture."""
_GRAM = 3
"""Characters of the shortest word that the full-text search finds."""
_STEP = 500
"""Rows put in order in one transaction: others that write wait meanwhile."""


@dataclass(frozen=True)
class Annotation:
    """What a plugin has found out about a picture."""

    sha256: str
    """The SHA-256 of the picture in lower-case hex."""
    owner: str
    """The name of the plugin that said it."""
    text: str
    """What it said."""
    time: float
    """When it was said, in seconds since the epoch."""

    @property
    def uri(self) -> str:
        """``qqimage:<sha256>``, with which ``resolver.image`` gives a handle on the picture."""
        return f"qqimage:{self.sha256}"


def put(db: Connection, annotation: Annotation) -> bool | None:
    """Write down what an owner says of a picture, instead of what the same owner said before.

    What was said later stays.

    Returns:
        Whether the picture is there; None where too many others have said something of it.
    """
    sha256, owner = annotation.sha256, storable(annotation.owner)
    if not db.rows("SELECT 1 FROM images WHERE sha256 = ?", sha256):
        return False
    said = "SELECT id FROM annotations WHERE sha256 = ? AND owner = ?"
    if db.rows(f"{said} AND time > ?", sha256, owner, annotation.time):
        return True
    _remove(db, [id_ for (id_,) in db.rows(said, sha256, owner)])
    if not annotation.text:
        return True
    ((count,),) = db.rows("SELECT count(*) FROM annotations WHERE sha256 = ?", sha256)
    if count >= _MOST:
        return None
    db.run(
        "INSERT INTO annotations (sha256, owner, text, time, indexed) VALUES (?, ?, ?, ?, 0)",
        *(sha256, owner, storable(annotation.text), annotation.time),
    )
    _index(db, _STEP)
    return True


def after_all(db: Connection, annotation: Annotation) -> float:
    """The time of an annotation, or of what the same owner has said before, if that is later."""
    ((time,),) = db.rows(
        "SELECT max(?, coalesce(max(time), 0)) FROM annotations WHERE sha256 = ? AND owner = ?",
        *(annotation.time, annotation.sha256, storable(annotation.owner)),
    )
    return float(time)


def of(db: Connection, sha256: str) -> list[Annotation]:
    """What is known of a picture, the latest first."""
    rows = db.rows(
        f"SELECT {_COLUMNS} FROM annotations WHERE sha256 = ? ORDER BY time DESC, id DESC", sha256
    )
    return [Annotation(*row) for row in rows]


def page(db: Connection, after: int, limit: int) -> list[tuple[int, Annotation]]:
    """Some annotations, each with its number, in the order of these numbers."""
    rows = db.rows(
        f"SELECT id, {_COLUMNS} FROM annotations WHERE id > ? ORDER BY id LIMIT ?", after, limit
    )
    return [(id_, Annotation(*row)) for id_, *row in rows]


def search(
    db: Connection, words: Iterable[str], *, owner: str | None, chat: str | None, limit: int
) -> list[Annotation]:
    """The annotations in which every word stands, the latest first.

    Args:
        db: the connection.
        words: parts of the text; ASCII letters are found in either case.
        owner: who said it; None for anybody.
        chat: the chat that the picture was seen in; None for any, or none.
        limit: how many at most.
    """
    conditions, values = list[str](), list[object]()
    wanted = [str(storable(word)) for word in words]
    grams = [word for word in wanted if len(word) >= _GRAM]
    if grams and _can_index(db):
        conditions.append(
            "(indexed = 0 OR id IN (SELECT rowid FROM annotation_text WHERE annotation_text "
            "MATCH ?))"
        )
        # in quotes nothing is an operator
        values.append(" AND ".join('"{}"'.format(word.replace('"', '""')) for word in grams))
    for word in wanted:
        conditions.append("text LIKE ? ESCAPE '\\'")
        literal = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        values.append(f"%{literal}%")
    if owner is not None:
        conditions.append("owner = ?")
        values.append(storable(owner))
    if chat is not None:
        conditions.append(
            "EXISTS (SELECT 1 FROM sightings s WHERE s.sha256 = annotations.sha256 AND +s.chat = ?)"
        )
        values.append(chat)
    rows = db.rows(
        f"SELECT {_COLUMNS} FROM annotations WHERE {' AND '.join(conditions) or 'TRUE'} "
        "ORDER BY time DESC, id DESC LIMIT ?",
        *(*values, limit),
    )
    return [Annotation(*row) for row in rows]


def digest(text: str) -> str:
    """What a text is compared by with another host's; empty for none."""
    return hashlib.sha256(text.encode()).hexdigest()[:32] if text else ""


def settle(db: Connection, last: Iterable[tuple[str, str, str]]) -> None:
    """Remove what its owner has replaced, or taken back, on another host.

    What the shared store is yet to be told of stays: it is compared there by its time.

    Args:
        db: the connection of a transaction.
        last: SHA-256, owner, and `digest` of what the owner has said last by the shared store.
    """
    for sha256, owner, latest in last:
        rows = db.rows(
            "SELECT id, text FROM annotations a WHERE sha256 = ? AND owner = ? AND NOT EXISTS "
            "(SELECT 1 FROM unsent_annotations u WHERE u.sha256 = a.sha256 AND u.owner = a.owner)",
            *(sha256, owner),
        )
        _remove(db, [id_ for id_, text in rows if digest(text) != latest])


def forget(db: Connection, digests: Iterable[str]) -> None:
    """Forget what is known of some pictures."""
    for sha256 in digests:
        rows = db.rows("SELECT id FROM annotations WHERE sha256 = ?", sha256)
        _remove(db, [id_ for (id_,) in rows])
        unsent_annotations.forget(db, sha256)


def forget_unpinned(db: Connection, digests: Iterable[str]) -> None:
    """Forget what is known of some pictures that are removed, unless somebody has pinned them.

    That something was taken back is still to be told, where it is not yet: others know the text.
    """
    for sha256 in digests:
        rows = db.rows(
            "SELECT id FROM annotations a WHERE sha256 = ? AND NOT EXISTS "
            "(SELECT 1 FROM pins p WHERE p.sha256 = a.sha256)",
            sha256,
        )
        _remove(db, [id_ for (id_,) in rows])


class LeftBehind(NamedTuple):
    """What processes without full-text search, and earlier releases, have left to be done."""

    orphans: list[int]
    """Annotations of pictures that are gone and not pinned."""
    texts: list[int]
    """Texts in the full-text table whose annotations are gone."""
    unindexed: bool
    """Whether there are texts that are not in it."""


def left_behind(db: Connection) -> LeftBehind:
    """Some of what is to be put in order; it reads all annotations."""
    orphans = db.rows(f"SELECT id FROM annotations WHERE {_ORPHANED} LIMIT ?", _STEP)
    texts, unindexed = list[tuple[int, ...]](), list[tuple[int, ...]]()
    if _can_index(db):
        texts = db.rows(
            "SELECT rowid FROM annotation_text WHERE rowid NOT IN (SELECT id FROM annotations) "
            "LIMIT ?",
            _STEP,
        )
        unindexed = db.rows("SELECT 1 FROM annotations WHERE indexed = 0 LIMIT 1")
    return LeftBehind([id_ for (id_,) in orphans], [id_ for (id_,) in texts], bool(unindexed))


def tidy(db: Connection, left: LeftBehind) -> None:
    """Put in order what was left behind."""
    for id_ in left.orphans:  # unless the picture has come again
        db.run(f"DELETE FROM annotations WHERE id = ? AND {_ORPHANED}", id_)
    if _can_index(db):
        db.run_many("DELETE FROM annotation_text WHERE rowid = ?", [(id_,) for id_ in left.texts])
        _index(db, _STEP)


def index_anew(db: Connection) -> None:
    """Fill the full-text table of a new index."""
    db.run("UPDATE annotations SET indexed = 0")
    while _index(db, _STEP):
        pass


def _index(db: Connection, limit: int) -> bool:
    """Add texts to the full-text table that are not there; whether there may be more."""
    if not _can_index(db):
        return False
    rows = db.rows("SELECT id, text FROM annotations WHERE indexed = 0 LIMIT ?", limit)
    db.run_many("INSERT OR REPLACE INTO annotation_text (rowid, text) VALUES (?, ?)", rows)
    db.run_many("UPDATE annotations SET indexed = 1 WHERE id = ?", [(id_,) for id_, _ in rows])
    return len(rows) == limit


def _remove(db: Connection, ids: Iterable[int]) -> None:
    rows = [(id_,) for id_ in ids]
    db.run_many("DELETE FROM annotations WHERE id = ?", rows)
    if rows and _can_index(db):
        db.run_many("DELETE FROM annotation_text WHERE rowid = ?", rows)


def _can_index(db: Connection) -> bool:
    """Whether there is a full-text table that this SQLite can use."""
    if not has_full_text(db):
        return False
    try:
        db.rows("SELECT rowid FROM annotation_text LIMIT 0")
    except sqlite3.OperationalError:  # a process without it has made this index
        return False
    return True
