"""Sightings in the index: where each image was seen, and how to ask for it again."""

import dataclasses
import json
from collections.abc import Iterable
from typing import Any, cast

from ...content.info import ImageInfo
from ...messages.reference import ImageReference
from ...messages.sighting import Sighting
from .database import Database, Row
from .journal import Journal

_MAX_SIGHTINGS = 1_000_000
"""Sightings kept; the oldest go first."""
_COLUMNS = "reference, chat, user, time, sha256"
# seen again, as when it is quoted: the first sighting stays
_SAW = (
    "INSERT OR IGNORE INTO sightings "
    "(message, bot, position, chat, user, time, sha256, key, reference) VALUES"
)
_ARE_IMAGE = "UPDATE sightings SET sha256 = ? WHERE sha256 = '' AND key = ?"
_IS_IMAGE = (
    "UPDATE sightings SET sha256 = ? WHERE sha256 = '' AND message = ? AND bot = ? AND position = ?"
)
# but the image itself, or the path of a file that this bot once sent
_FIELDS = [each.name for each in dataclasses.fields(ImageReference) if each.name != "content"]
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def saw(journal: Journal, sighting: Sighting, known: ImageInfo | None) -> None:
    """Note a sighting, of an image that is known meanwhile or not."""
    reference = sighting.reference
    sha256 = sighting.sha256 if known is None else known.sha256
    journal.add(
        _SAW,
        *_place(reference),
        *(sighting.chat, sighting.user, sighting.time, sha256),
        *(reference.key, _dump(reference)),
    )


def is_image(journal: Journal, reference: ImageReference, info: ImageInfo) -> None:
    """Note what the sightings of a reference show."""
    if reference.md5 in ("", info.md5):
        journal.add(_ARE_IMAGE, info.sha256, reference.key)
    else:  # a name that the content does not confirm must not speak for other messages
        journal.add(_IS_IMAGE, info.sha256, *_place(reference))


class Sightings:
    """The table of sightings.

    Args:
        database: the open database.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def find(
        self,
        *,
        sha256: str | None = None,
        bot: str | None = None,
        chat: str | None = None,
        user: str | None = None,
        message_id: str | None = None,
        since: float | None = None,
        limit: int,
    ) -> list[Sighting]:
        """The sightings that fit all that is given, the latest first."""
        given = {"sha256": sha256, "bot": bot, "chat": chat, "user": user, "message": message_id}
        conditions = [f"{name} = ?" for name, value in given.items() if value is not None]
        values: list[object] = [value for value in given.values() if value is not None]
        if since is not None:
            conditions.append("time >= ?")
            values.append(since)
        rows = self._db.rows(
            f"SELECT {_COLUMNS} FROM sightings WHERE {' AND '.join(conditions) or 'TRUE'} "
            "ORDER BY time DESC, id DESC LIMIT ?",
            *(*values, limit),
        )
        return [_load(row) for row in rows]

    def remove_some(self, *, chat: str | None, user: str | None, limit: int) -> list[Sighting]:
        """Forget some of the sightings of a chat or a user, with the names they gave; which ones.

        The images are left: see who else refers to them.
        """
        found = self.find(chat=chat, user=user, limit=limit)
        for sighting in found:
            reference = sighting.reference
            self._db.run(
                "DELETE FROM sightings WHERE message = ? AND bot = ? AND position = ?",
                *_place(reference),
            )
            if not reference.face_id:  # which is the same everywhere
                self._db.run_many(
                    "DELETE FROM names WHERE name = ?", [(name,) for name in reference.names]
                )
        return found

    def unreferred(self, digests: Iterable[str]) -> list[str]:
        """Those of the images that no sighting, no other name and no pin refers to."""
        return [
            sha256
            for sha256 in set(digests)
            if not self._db.rows(
                "SELECT 1 FROM sightings WHERE sha256 = ?1 UNION ALL "
                "SELECT 1 FROM names WHERE sha256 = ?1 UNION ALL "
                "SELECT 1 FROM pins WHERE sha256 = ?1 LIMIT 1",
                sha256,
            )
        ]

    def evict(self, before: float, limit: int) -> bool:
        """Remove some sightings that are too old or too many; whether there may be more.

        Args:
            before: seconds since the epoch.
            limit: how many at most.
        """
        # ids grow with time, and their difference bounds their number: no counting, no scan
        removed = self._db.run(
            "DELETE FROM sightings WHERE id IN (SELECT id FROM sightings ORDER BY id LIMIT ?) "
            "AND (time < ? OR id <= (SELECT max(id) FROM sightings) - ?)",
            *(limit, before, _MAX_SIGHTINGS),
        )
        return removed == limit

    def count(self) -> int:
        """How many sightings there are, counted."""
        return int(self._db.rows("SELECT count(*) FROM sightings")[0][0])


def _place(reference: ImageReference) -> tuple[str, str, int]:
    return reference.message_id or reference.file_id, reference.self_id, reference.position


def _dump(reference: ImageReference) -> str:
    # every default is falsy
    return _encode({name: value for name in _FIELDS if (value := getattr(reference, name))})


def _load(row: Row) -> Sighting:
    said, *rest = row
    fields = cast(dict[str, Any], json.loads(said))
    return Sighting(ImageReference(**fields), *rest)
