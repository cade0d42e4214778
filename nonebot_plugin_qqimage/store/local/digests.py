"""SHA-1 of images, and whether QQ's links told the truth about it. Every function blocks.

What changes the tables is given the connection of a transaction.
"""

from collections.abc import Iterable
from typing import NamedTuple

from ...content.info import ImageInfo
from .sqlite.database import Connection

_LATEST = 1000
"""Observations that decide."""
_MAX_AGREEMENTS = 10_000
"""Observations kept, so that no link counts twice soon; the oldest go first."""
_RATIO = 20
"""How many agreements outweigh a disagreement."""


class Agreement(NamedTuple):
    """That the content of a link was, or was not, what the link says."""

    link: str
    """`FileId.name`."""
    implementation: str
    """What the implementation that told of it calls itself."""
    agrees: bool
    """Whether SHA-1 and size were the link's."""


class Trust(NamedTuple):
    """How often links have told the truth, of the latest observations."""

    agreed: int
    """How often they did."""
    disagreed: int
    """How often they did not."""

    @property
    def binding(self) -> bool:
        """Whether a link decides which content is meant, whatever names say."""
        return self.agreed > 0 and self.agreed >= _RATIO * self.disagreed


def add(db: Connection, infos: Iterable[ImageInfo]) -> None:
    """Write down the SHA-1 of stored images, as far as it is known."""
    db.run_many(
        "INSERT OR IGNORE INTO digests SELECT sha256, ? FROM images WHERE sha256 = ?",
        [(info.sha1, info.sha256) for info in infos if info.sha1],
    )


def missing(db: Connection, prefix: str, limit: int) -> list[str]:
    """The SHA-256 of images whose SHA-1 is not known: put there by an earlier release.

    Args:
        db: the connection.
        prefix: what their SHA-256 begins with; lower-case hex digits.
        limit: how many at most.
    """
    rows = db.rows(
        "SELECT sha256 FROM images WHERE sha256 >= ? AND sha256 < ? "
        "AND NOT EXISTS (SELECT 1 FROM digests d WHERE d.sha256 = images.sha256) LIMIT ?",
        *(prefix, prefix + "g", limit),
    )
    return [sha256 for (sha256,) in rows]


def observe(db: Connection, seen: Iterable[Agreement]) -> None:
    """Write down whether links told the truth, each link once for each implementation."""
    rows = [(each.link, each.implementation, int(each.agrees)) for each in seen]
    if not rows:
        return
    db.run_many(
        "INSERT OR IGNORE INTO agreements (link, implementation, agrees) VALUES (?, ?, ?)",
        rows,
    )
    db.run(
        "DELETE FROM agreements WHERE id <= (SELECT max(id) FROM agreements) - ?", _MAX_AGREEMENTS
    )


def trust(db: Connection) -> Trust:
    """How often links have told the truth."""
    ((agreed, count),) = db.rows(
        "SELECT coalesce(sum(agrees), 0), count(*) "
        "FROM (SELECT agrees FROM agreements ORDER BY id DESC LIMIT ?)",
        _LATEST,
    )
    return Trust(agreed, count - agreed)
