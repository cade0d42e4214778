"""The tables of images, of the names that mean them, and of pins. Every function blocks.

What changes them is given the connection of a transaction.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, cast

from ...content.info import ImageInfo
from ...messages.reference import ImageReference
from . import annotations, digests
from .facts import Selection, Stored, Totals
from .sqlite.database import Connection, where

FACTS = "sha256, md5, mime, size, width, height, frames"
_COUNT = len(FACTS.split(", "))
_IMAGES_FACTS = ", ".join(f"images.{fact}" for fact in FACTS.split(", "))
MOST_ASKED = 64
"""References looked up at a time; older versions of SQLite take no more than 999 values."""


How = Literal["digest", "name", "place"]
"""By what an image was found: a digest, one of `ImageReference.names`, or the place it is at (or,
where a served URL does not say it, what is said there)."""


def candidates(
    db: Connection, references: Sequence[ImageReference]
) -> list[list[tuple[ImageInfo, How]]]:
    """The images that each reference may mean by one of its digests or names.

    Args:
        db: the connection.
        references: at most `MOST_ASKED`; one statement serves them all, for the event loop has
            its turn before each.

    Returns:
        For each reference the images, each with how it was found.
    """
    asked: list[object] = []
    for number, reference in enumerate(references):
        link = reference.link
        asked += number, reference.sha256 or None, (link and link.sha1) or None
        asked += reference.md5 or None, reference.size, next(iter(reference.names), None)
        by_place = (reference.place or reference.served) and not reference.brings_itself
        asked.append(reference.own_key if by_place else None)
    name, place = (
        f"(SELECT n.sha256 FROM names n WHERE n.name = asked.{which})"
        for which in ("name", "place")
    )
    rows = db.rows(
        "WITH asked (number, sha256, sha1, md5, size, name, place) AS "
        f"(VALUES {', '.join(['(?, ?, ?, ?, ?, ?, ?)'] * len(references))}) "
        f"SELECT number, {name}, {place}, {_IMAGES_FACTS}, "
        "coalesce((SELECT d.sha1 FROM digests d WHERE d.sha256 = images.sha256), '') "
        "FROM asked CROSS JOIN images WHERE images.sha256 IN (asked.sha256, "
        "(SELECT d.sha256 FROM digests d WHERE d.sha1 = asked.sha1 LIMIT 1), "
        "(SELECT i.sha256 FROM images i WHERE i.md5 = asked.md5 "
        f"AND i.size = coalesce(asked.size, i.size) LIMIT 1), {name}, {place})",
        *asked,
    )
    found: list[list[tuple[ImageInfo, How]]] = [[] for _ in references]
    for row in rows:
        number, named, placed = cast("tuple[int, str, str]", row[:3])
        info = ImageInfo(*row[3:])
        how: How = "digest"
        if info.sha256 in (named, placed):
            how = "place" if info.sha256 == placed else "name"
        found[number].append((info, how))
    return found


def with_sha1(db: Connection, sha256: str) -> ImageInfo | None:
    """The image with this SHA-256, its SHA-1 included where it is known."""
    rows = db.rows(
        f"SELECT {FACTS}, coalesce((SELECT sha1 FROM digests d WHERE d.sha256 = images.sha256), "
        "'') FROM images WHERE sha256 = ?",
        sha256,
    )
    return ImageInfo(*rows[0]) if rows else None


def by_digest(
    db: Connection, digest: str, kind: Literal["sha256", "md5"] = "sha256"
) -> ImageInfo | None:
    """The image with this SHA-256, or one with this MD5."""
    rows = db.rows(f"SELECT {FACTS} FROM images WHERE {kind} = ? LIMIT 1", digest)
    return ImageInfo(*rows[0]) if rows else None


def add(db: Connection, info: ImageInfo, name: str, source: str) -> bool:
    """Write down an image whose file is in place, and a name for it (none when empty).

    Returns:
        Whether it was not there before.
    """
    now = db.clock.stamp()
    new = not db.run("UPDATE images SET used = ? WHERE sha256 = ?", now, info.sha256)
    if new:
        db.run(
            "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(info.sha256, info.md5, info.mime, info.size, info.width, info.height, info.frames),
            *(source, now, now),
        )
    digests.add(db, [info])  # also of one that an earlier release has put there
    add_names(db, info, [name] if name else [])
    return new


def add_names(db: Connection, info: ImageInfo, names: Iterable[str]) -> None:
    """Write down names that mean an image from now on."""
    db.run_many(
        "INSERT INTO names VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256",
        [(name, info.sha256) for name in names],
    )


def remove(db: Connection, images: Iterable[ImageInfo]) -> None:
    """Forget images, with every name that means them, and what is known of them."""
    gone = [info.sha256 for info in images]
    annotations.forget_unpinned(db, gone)
    db.run_many("DELETE FROM images WHERE sha256 = ?", [(sha256,) for sha256 in gone])


def forget_names(db: Connection, names: Iterable[str]) -> None:
    """Forget what some names mean."""
    db.run_many("DELETE FROM names WHERE name = ?", [(name,) for name in names])


def names(db: Connection, sha256: str) -> list[str]:
    """The names that mean an image."""
    return [name for (name,) in db.rows("SELECT name FROM names WHERE sha256 = ?", sha256)]


def note_uses(db: Connection, uses: Mapping[str, float]) -> None:
    """Note when images were last used: seconds since the epoch, by SHA-256."""
    db.run_many(
        "UPDATE images SET used = ? WHERE sha256 = ? AND used < ?",
        [(when, sha256, when) for sha256, when in uses.items()],
    )


def unused(db: Connection, limit: int, before: float = math.inf) -> list[ImageInfo]:
    """The images unused for longest that nobody has pinned.

    Args:
        db: the connection.
        limit: how many at most.
        before: only those last used before this time (seconds since the epoch).
    """
    rows = db.rows(
        f"SELECT {FACTS} FROM images WHERE used < ? "
        "AND sha256 NOT IN (SELECT sha256 FROM pins) ORDER BY used LIMIT ?",
        *(before, limit),
    )
    return [ImageInfo(*row) for row in rows]


def totals(db: Connection) -> Totals:
    """How much there is, without counting."""
    return Totals(*db.rows("SELECT images, bytes FROM totals")[0])


def noted_and_counted(db: Connection) -> tuple[Totals, Totals]:
    """How much there is by `totals`, and counted at the same moment."""
    counted = "(SELECT count(*) FROM images), (SELECT coalesce(sum(size), 0) FROM images)"
    (row,) = db.rows(f"SELECT images, bytes, {counted} FROM totals")
    return Totals(*row[:2]), Totals(*row[2:])


def counted_by(db: Connection, column: Literal["mime", "source"]) -> dict[str, Totals]:
    """How many images there are of each type or source, and of how many bytes."""
    rows = db.rows(f"SELECT {column}, count(*), sum(size) FROM images GROUP BY 1 ORDER BY 2 DESC")
    return {what: Totals(count, size) for what, count, size in rows}


def select(
    db: Connection, selection: Selection, *, limit: int, after: str | None = None
) -> list[Stored]:
    """Images that fit, some at a time; see `Catalog.select`."""
    condition, values = _condition(selection)
    order = "sha256" if after is not None else "used DESC"
    rows = db.rows(
        f"SELECT {FACTS}, source, added, used FROM images "
        f"WHERE {condition} AND sha256 > ? ORDER BY {order} LIMIT ?",
        *(*values, after or "", limit),
    )
    return [Stored(ImageInfo(*row[:_COUNT]), *row[_COUNT:]) for row in rows]


def measure(db: Connection, selection: Selection) -> Totals:
    """How many images fit, and of how many bytes."""
    condition, values = _condition(selection)
    query = f"SELECT count(*), coalesce(sum(size), 0) FROM images WHERE {condition}"
    return Totals(*db.rows(query, *values)[0])


def shards(db: Connection) -> set[str]:
    """The first two digits of the digests there are."""
    return {row[0] for row in db.rows("SELECT DISTINCT substr(sha256, 1, 2) FROM images")}


def pin(db: Connection, sha256: str, owner: str) -> bool:
    """Let an owner keep an image, once more; False if there is no such image."""
    return bool(
        db.run(
            "INSERT INTO pins SELECT sha256, ?, 1 FROM images WHERE sha256 = ? "
            "ON CONFLICT (sha256, owner) DO UPDATE SET count = count + 1",
            *(owner, sha256),
        )
    )


def unpin(db: Connection, sha256: str, owner: str) -> bool:
    """Take one of an owner's pins back; whether there was one."""
    statement = "UPDATE pins SET count = count - 1 WHERE sha256 = ? AND owner = ?"
    changed = db.run(statement, sha256, owner)
    db.run("DELETE FROM pins WHERE sha256 = ? AND count < 1", sha256)
    return changed > 0


def set_pins(db: Connection, sha256: str, owner: str, count: int) -> None:
    """Let an owner keep an image as often as other hosts say, whether it is here or not."""
    db.run("DELETE FROM pins WHERE sha256 = ? AND owner = ?", sha256, owner)
    if count > 0:
        db.run("INSERT INTO pins VALUES (?, ?, ?)", sha256, owner, count)


def pins(db: Connection, sha256: str) -> dict[str, int]:
    """Who keeps an image, and how often each has said so."""
    return dict(db.rows("SELECT owner, count FROM pins WHERE sha256 = ?", sha256))


def pinned_by(db: Connection, owner: str) -> list[str]:
    """The SHA-256 of what an owner keeps, the latest that was stored first."""
    rows = db.rows(
        "SELECT pins.sha256 FROM pins LEFT JOIN images USING (sha256) WHERE owner = ? "
        "ORDER BY added DESC",
        owner,
    )
    return [sha256 for (sha256,) in rows]


def all_pins(db: Connection) -> list[tuple[str, str, int]]:
    """The SHA-256 of each image that somebody keeps, who does, and how often."""
    return [(row[0], row[1], row[2]) for row in db.rows("SELECT sha256, owner, count FROM pins")]


def pinned(db: Connection) -> int:
    """How many images somebody keeps."""
    return int(db.rows("SELECT count(DISTINCT sha256) FROM pins")[0][0])


def _condition(selection: Selection) -> tuple[str, list[object]]:
    """A selection in SQL, with its values."""
    prefix, since = selection.prefix or None, selection.since
    given: dict[str, object | None] = {
        "sha256 >= ?": prefix,
        "sha256 < ?": prefix and prefix + "g",
        "mime = ?": selection.mime or None,
    }
    if not (selection.chat or selection.user):
        return where({**given, "used >= ?": since})
    conditions, values = where(given)
    seen, more = where(
        {
            "chat = ?": selection.chat or None,
            "user = ?": selection.user or None,
            "time >= ?": since or None,
        }
    )
    within = f"sha256 IN (SELECT sha256 FROM sightings WHERE {seen})"
    return f"{conditions} AND {within}", [*values, *more]
