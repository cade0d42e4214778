"""Sightings as rows: what is written down of each, and how it is read back.

Earlier releases use the same table, and know a row by its message, bot and position. So a message
id that comes again gets a position beyond all that messages have.
"""

import json
from dataclasses import fields as fields_of
from typing import Any, cast

from ....messages.reference import ImageReference
from ....messages.sighting import Sighting
from ..sqlite.database import Row

COLUMNS = "reference, chat, user, time, sha256, more, coalesce(arrived, time)"
"""What `load` takes."""
AGAIN = 1 << 16
"""What is added to the position each time that a message id comes again."""
_MORE = ("named_md5", "one_of_several", "inside")
"""Fields of a reference that earlier releases do not know, and stumble over in their column."""
_BESIDE = ("content", "chat", "served", *_MORE)
"""Fields that have no place in it: the image itself, or the path of a file that this bot once sent,
which are not kept; and what has another column."""
_FIELDS = [each.name for each in fields_of(ImageReference) if each.name not in _BESIDE]
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def place_of(reference: ImageReference) -> tuple[str, str]:
    """The message, or shared file, and the bot."""
    return reference.message_id or reference.file_id, reference.self_id


def row(sighting: Sighting, again: int) -> Row:
    """A sighting as values of ``message, bot, position, chat, user, time, sha256, key, reference,
    more, arrived``.

    Args:
        sighting: the sighting.
        again: how often the message id has come before with something else at this position.
    """
    reference = sighting.reference
    position = reference.position + again * AGAIN
    fields = vars(reference)
    # every default is falsy
    said = {name: value for name in _FIELDS if (value := fields[name])}
    if again:
        said["position"] = position  # by which earlier releases remove the row
    more = {name: value for name in _MORE if (value := fields[name])}
    values = (
        *(*place_of(reference), position, sighting.chat, sighting.user, sighting.time),
        *(
            sighting.sha256,
            reference.key,
            _encode(said),
            _encode(more) if more else "",
            sighting.arrived,
        ),
    )
    return tuple(map(storable, values))


def load(row: Row) -> Sighting:
    """A sighting from the values of `COLUMNS`."""
    said, chat, user, time, sha256, more, arrived = row
    known = cast(dict[str, Any], json.loads(said) | (json.loads(more) if more else {}))
    known["position"] = known.get("position", 0) % AGAIN
    # a later release may say more
    fields = {name: value for name, value in known.items() if name in (*_FIELDS, *_MORE)}
    reference = ImageReference(**fields, chat=chat)
    return Sighting(reference, chat, user, time, sha256, arrived)


def storable(value: object) -> object:
    """The value; half an emoji, as JSON can carry it, fits into no database."""
    if isinstance(value, str) and not value.isascii():
        return value.encode(errors="replace").decode()
    return value
