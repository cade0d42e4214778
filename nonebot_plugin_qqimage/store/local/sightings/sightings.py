"""The table of sightings: where each image was seen, and how to ask for it again.

Every function blocks. What changes the table is given the connection of a transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ....content.info import ImageInfo
from ....messages.claims import confirmed
from ....messages.reference import ImageReference
from ....messages.sighting import Sighting
from ..sqlite.database import Connection, Row, where
from . import forgotten
from .rows import AGAIN, COLUMNS, load, place_of, row, storable

_STAMP = 1e-6
"""Seconds between the arrival of two sightings at least, by which they have an order."""
_SAME = 120.0
"""Seconds within which what is told of an own message twice is the same message: the call that sent
it, and the implementation's event about it."""
_PLACES = 64
"""Messages looked up by one statement; older versions of SQLite take no more than 999 values."""


@dataclass(frozen=True)
class Query:
    """Which sightings are meant: those that fit all that is given; see `ImageStore.sightings`."""

    limit: int
    sha256: str | None = None
    bot: str | None = None
    chat: str | None = None
    user: str | None = None
    message_id: str | None = None
    since: float | None = None
    not_by: str | None = None
    arrived_by: float | None = None
    """Seconds since the epoch, by the database's clock."""


@dataclass(frozen=True)
class IsImage:
    """That a reference which was seen means a certain image, yet to be written down."""

    sha256: str
    keys: tuple[str, ...]
    """`ImageReference.key` of all sightings that are meant; none where only the place is."""
    reference: ImageReference
    """The reference."""

    @classmethod
    def of(cls, reference: ImageReference, info: ImageInfo) -> "IsImage":
        """That a reference turned out to mean an image."""
        keys: tuple[str, ...] = ()
        if not (reference.md5s or reference.link):
            keys = (reference.key,)
        elif confirmed(info, reference, binding=False):
            by_md5 = (
                f"md5:{info.md5}:{reference.size or ''}"  # as references without a link have it
            )
            keys = (reference.key, by_md5) if reference.md5s else (reference.key,)
        # else what is claimed is not true, and must not speak for other messages
        return cls(info.sha256, keys, reference)


def add(db: Connection, seen: Iterable[Sighting]) -> list[Row]:
    """Write sightings down. Of what is seen again, as when it is quoted, the first one stays.

    Returns:
        The rows that were added, as `rows.row` gives them.
    """
    new = [*seen]
    there = _there(db, {place_of(sighting.reference) for sighting in new})
    ((last,),) = db.rows(
        "SELECT coalesce((SELECT arrived FROM sightings ORDER BY id DESC LIMIT 1), 0)"
    )
    rows: list[Row] = []
    added: list[Sighting] = []
    for sighting in new:
        reference = sighting.reference
        others = there[(*place_of(reference), reference.position)]
        if any(_is_same(sighting, other) for other, _ in others):
            continue
        again = 1 + max((again for _, again in others), default=-1)
        last = max(sighting.arrived, last + _STAMP)
        stamped = Sighting(
            *(reference, sighting.chat, sighting.user, sighting.time, sighting.sha256), last
        )
        others.append((stamped, again))
        rows.append(row(stamped, again))
        added.append(stamped)
    db.insert_many(
        "INSERT OR IGNORE INTO sightings (message, bot, position, chat, user, time, sha256, key, "
        "reference, more, arrived) VALUES",
        rows,
    )
    forgotten.seen_again(db, added)
    return rows


def _there(
    db: Connection, places: Iterable[tuple[str, str]]
) -> "defaultdict[tuple[str, str, int], list[tuple[Sighting, int]]]":
    """What was seen at some places, by message, bot and position; and how often they came again."""
    found: defaultdict[tuple[str, str, int], list[tuple[Sighting, int]]] = defaultdict(list)
    for sighting, position in _at(db, [*places]):
        reference = sighting.reference
        found[(*place_of(reference), reference.position)].append((sighting, position // AGAIN))
    return found


def _at(
    db: Connection, places: Sequence[tuple[str, str]], condition: str = "TRUE"
) -> Iterator[tuple[Sighting, int]]:
    for start in range(0, len(places), _PLACES):
        some = places[start : start + _PLACES]
        # a join: with "IN (VALUES …)" SQLite would rather read the whole table in the wanted order
        rows = db.rows(
            f"WITH asked (message, bot) AS (VALUES {', '.join(['(?, ?)'] * len(some))}) "
            f"SELECT position, {COLUMNS} FROM asked CROSS JOIN sightings USING (message, bot) "
            f"WHERE {condition} ORDER BY id DESC",
            *(storable(part) for place in some for part in place),
        )
        for position, *values in rows:
            yield load(tuple(values)), position


def _is_same(one: Sighting, other: Sighting) -> bool:
    """Whether two sightings at one place are of the same image of the same message."""
    a, b = one.reference, other.reference
    if one.chat != other.chat or a.own != b.own:
        return False
    if a.own:
        return abs(one.time - other.time) <= _SAME
    # a quoted message may be told in other words
    return a.said == b.said or a.key == b.key


def at_places(db: Connection, references: Sequence[ImageReference]) -> list[str]:
    """The SHA-256 of what was seen at the place of each reference; empty where nothing was.

    The latest counts. A reference whose chat is not known may be in any; one that brings its image
    along was seen with that image.
    """
    there = _at(db, [*{place_of(reference) for reference in references}], "sha256 <> ''")
    return shown_at(references, (sighting for sighting, _ in there))


def shown_at(references: Sequence[ImageReference], there: Iterable[Sighting]) -> list[str]:
    """`at_places`, of sightings that have been read already, the latest first."""
    found: dict[tuple[str, str, str], str] = {}
    for sighting in there:
        if sighting.sha256:
            for chat in (sighting.chat, ""):
                for inside in (sighting.reference.inside, ""):
                    place = sighting.reference.place, chat, inside
                    found.setdefault(place, sighting.sha256)
    return [
        found.get((each.place, each.chat, each.lean().inside if each.brings_itself else ""), "")
        for each in references
    ]


def identify(db: Connection, known: Iterable[IsImage]) -> list[IsImage]:
    """Write down which image unresolved sightings show; what of it was news."""
    news: list[IsImage] = []
    for each in known:
        column, values = "key", [*map(storable, each.keys)]
        if not values:
            column, values = "id", _unresolved_at(db, each.reference)
        # one at a time: with "IN" SQLite would rather read all that is unresolved
        statement = f"UPDATE sightings SET sha256 = ? WHERE sha256 = '' AND {column} = ?"
        if sum(db.run(statement, each.sha256, value) for value in values):
            forgotten.is_there_again(db, each.sha256)
            news.append(each)
    return news


def _unresolved_at(db: Connection, reference: ImageReference) -> list[object]:
    """The ids of the unresolved rows at the place of a reference."""
    rows = db.rows(
        f"SELECT id, {COLUMNS} FROM sightings WHERE message = ? AND bot = ? AND +sha256 = ''",
        *map(storable, place_of(reference)),
    )
    seen = [(id_, load(tuple(values))) for id_, *values in rows]
    return [id_ for id_, sighting in seen if is_at(sighting, reference.place, reference.chat)]


def is_at(sighting: Sighting, place: str, chat: str) -> bool:
    """Whether a sighting is at a place; in any chat, where that is empty."""
    return sighting.reference.place == place and chat in ("", sighting.chat)


def find(db: Connection, query: Query) -> list[Sighting]:
    """The sightings that fit, the latest first."""
    # few rows are of an image or a message; without the plus SQLite would read a whole chat instead
    few = "+" if query.sha256 is not None or query.message_id is not None else ""
    conditions, values = where(
        {
            "sha256 = ?": query.sha256,
            "message = ?": query.message_id,
            f"{few}bot = ?": query.bot,
            f"{few}chat = ?": query.chat,
            f"{few}user = ?": query.user,
            "time >= ?": query.since,
            "user <> ?": query.not_by,
            "coalesce(arrived, time) <= ?": query.arrived_by,
        }
    )
    rows = db.rows(
        f"SELECT {COLUMNS} FROM sightings WHERE {conditions} "
        "ORDER BY coalesce(arrived, time) DESC, id DESC LIMIT ?",
        *(*values, query.limit),
    )
    return [load(row) for row in rows]


def rows_after(db: Connection, last: int, limit: int) -> list[tuple[int, Row]]:
    """Rows behind an id, as `rows.row` gives them, each with its id."""
    rows = db.rows(
        "SELECT id, message, bot, position, chat, user, time, sha256, key, reference, more, "
        "coalesce(arrived, time) FROM sightings WHERE id > ? ORDER BY id LIMIT ?",
        *(last, limit),
    )
    return [(row[0], tuple(row[1:])) for row in rows]


def unresolved(db: Connection, limit: int) -> list[Sighting]:
    """The sightings whose image has not come, the latest first; there are few at any time."""
    rows = db.rows(
        f"SELECT {COLUMNS} FROM sightings WHERE sha256 = '' "
        "ORDER BY coalesce(arrived, time) DESC, id DESC LIMIT ?",
        limit,
    )
    return [load(row) for row in rows]


def count(db: Connection, *, chat: str | None = None, user: str | None = None) -> int:
    """How many sightings there are: all of them, or those in a chat, or of a user, or both."""
    conditions, values = where({"chat = ?": chat, "user = ?": user})
    return int(db.rows(f"SELECT count(*) FROM sightings WHERE {conditions}", *values)[0][0])
