"""Pages of images, the newest first. Each page begins behind a key: no page costs more than others.

Every function blocks. What fits seldom is looked for in a bounded number of rows for one page; the
next page then goes on where this one has stopped.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ....content.info import ImageInfo
from ..facts import Stored
from ..sqlite.database import Connection, Row

_FACTS = "sha256, md5, mime, size, width, height, frames, source, added, used"
_COUNT = len(_FACTS.split(", "))
_OF_IMAGE = ", ".join(f"i.{name}" for name in _FACTS.split(", "))
_PINNED = "EXISTS (SELECT 1 FROM pins p WHERE p.sha256 = i.sha256)"
_SEEN = "EXISTS (SELECT 1 FROM sightings s WHERE s.sha256 = i.sha256"
_STEP = 400
"""Rows looked at by one statement, beside those of a page that all fit."""
_MOST = 1200
"""Rows looked at for one page: some 15 ms."""


@dataclass(frozen=True)
class Wanted:
    """Which images are shown: those that fit everything that is given."""

    chat: str = ""
    """The chat they were seen in, as in `Sighting.chat`."""
    user: str = ""
    """The id of the user who sent them."""
    mime: str = ""
    """Their type, such as ``image/png``."""
    source: str = ""
    """Where their bytes came from."""
    since: float = -math.inf
    """Stored since then, or sent since then where a chat or a user is given; seconds since the
    epoch."""
    until: float = math.inf
    """Stored, or sent, before then; seconds since the epoch."""
    pinned: bool = False
    """Whether only those that somebody keeps."""
    among: tuple[str, ...] | None = None
    """The SHA-256 of the only ones that may be shown, in this order; None for any, the newest
    first."""


@dataclass(frozen=True)
class Tile:
    """One image on a page."""

    stored: Stored
    """What the index knows of it."""
    time: float
    """When it was stored, or sent where a chat or a user is given; seconds since the epoch."""
    pinned: bool
    """Whether somebody keeps it."""


@dataclass(frozen=True)
class Page:
    """Some images, the newest first."""

    tiles: list[Tile]
    """The images, each once."""
    after: str
    """What the next page is asked for with; empty where this is the last one."""
    looked_back_to: float | None = None
    """Where few fit: how far this page has looked back, in seconds since the epoch."""


def page(db: Connection, wanted: Wanted, *, after: str, limit: int) -> Page:
    """One page.

    Args:
        db: the connection.
        wanted: which images.
        after: `Page.after` of the page before; empty for the first one. Any other text is taken
            for the first one, too.
        limit: how many images at most.
    """
    if wanted.among is not None:
        return _page_among(db, wanted, wanted.among, after, limit)
    by_sighting = bool(wanted.chat or wanted.user)
    key = _key(after, by_sighting=by_sighting)
    first = min(key[0], wanted.until), key[1]
    tiles: dict[str, Tile] = {}
    looked = 0
    while looked < _MOST:
        step = _STEP if looked else limit + 1
        rows = _seen(db, wanted, first, step) if by_sighting else _stored(db, wanted, first, step)
        for time, number, fits, pinned, *facts in rows:
            if len(tiles) == limit:
                return Page([*tiles.values()], f"{first[0]!r}~{first[1]}")
            first = time, number
            if fits and facts[0] not in tiles:
                tiles[facts[0]] = Tile(_of(facts), time, bool(pinned))
        if len(rows) < step:
            return Page([*tiles.values()], "")
        looked += len(rows)
    return Page([*tiles.values()], f"{first[0]!r}~{first[1]}", looked_back_to=first[0])


def _page_among(
    db: Connection, wanted: Wanted, among: tuple[str, ...], after: str, limit: int
) -> Page:
    """A page of given images, of which there are not many."""
    begin = among.index(after) + 1 if after in among else 0
    given = {
        "mime = ?": wanted.mime,
        "source = ?": wanted.source,
        f"{_SEEN} AND user = ?)": wanted.user,
        f"{_SEEN} AND chat = ?)": wanted.chat,
    }
    fits = {condition: each for condition, each in given.items() if each}
    conditions = [*fits, "added >= ?", "added < ?", *([_PINNED] if wanted.pinned else [])]
    tiles: list[Tile] = []
    for place in range(begin, len(among)):
        rows = db.rows(
            f"SELECT {_PINNED}, {_FACTS} FROM images i WHERE sha256 = ? AND {_all(conditions)}",
            *(among[place], *fits.values(), wanted.since, wanted.until),
        )
        tiles += [Tile(_of(facts), facts[-2], bool(pinned)) for pinned, *facts in rows]
        if len(tiles) == limit:
            return Page(tiles, among[place] if place + 1 < len(among) else "")
    return Page(tiles, "")


def _of(facts: list[object]) -> Stored:
    info = ImageInfo(*facts[: _COUNT - 3])  # type: ignore[arg-type]
    return Stored(info, *facts[_COUNT - 3 :])  # type: ignore[arg-type]


def _key(after: str, *, by_sighting: bool) -> tuple[float, object]:
    """The time, and the row's id or the SHA-256, behind which a page begins."""
    time, _, number = after.partition("~")
    try:
        key = float(time), int(number) if by_sighting else number
    except ValueError:
        return math.inf, (1 << 62) if by_sighting else "g"
    return key if not math.isnan(key[0]) and len(after) < 100 else (math.inf, "g")


def _stored(db: Connection, wanted: Wanted, first: tuple[float, object], limit: int) -> list[Row]:
    """Rows of images: by the index of one thing that is wanted, with whether the rest fits."""
    conditions = ["(added, sha256) < (?, ?)", "added >= ?"]
    given = {"source = ?": wanted.source, "mime = ?": wanted.mime}
    fits = {condition: value for condition, value in given.items() if value}
    driver: list[str] = []
    if wanted.pinned:
        conditions.append("sha256 IN (SELECT sha256 FROM pins)")
    elif fits:
        condition = next(iter(fits))
        conditions.append(condition)
        driver = [fits.pop(condition)]
    return db.rows(
        f"SELECT added, sha256, {_all(fits)}, {_PINNED}, {_FACTS} FROM images i "
        f"WHERE {' AND '.join(conditions)} ORDER BY added DESC, sha256 DESC LIMIT ?",
        *(*fits.values(), *first, wanted.since, *driver, limit),
    )


def _seen(db: Connection, wanted: Wanted, first: tuple[float, object], limit: int) -> list[Row]:
    """Rows of sightings with their images: what one user sent is less than what is in a chat."""
    driver, value = ("user", wanted.user) if wanted.user else ("chat", wanted.chat)
    given = {"mime = ?": wanted.mime, "source = ?": wanted.source}
    if wanted.user and wanted.chat:
        given["s.chat = ?"] = wanted.chat
    given = {condition: each for condition, each in given.items() if each}
    fits = ["i.sha256 IS NOT NULL", *given, *([_PINNED] if wanted.pinned else [])]
    return db.rows(
        f"SELECT s.time, s.id, {_all(fits)}, {_PINNED}, {_OF_IMAGE} FROM "
        f"(SELECT id, time, chat, sha256 FROM sightings WHERE {driver} = ? "
        "AND (time, id) < (?, ?) AND time >= ? ORDER BY time DESC, id DESC LIMIT ?) s "
        "LEFT JOIN images i ON i.sha256 = s.sha256 ORDER BY s.time DESC, s.id DESC",
        *(*given.values(), value, *first, wanted.since, limit),
    )


def _all(conditions: Iterable[str]) -> str:
    return " AND ".join(conditions) or "TRUE"
