"""Text as PostgreSQL takes it, and sightings as its rows."""

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from ....messages.sighting import Sighting
from ...local.sightings.rows import AGAIN, load

_MAX_INDEXED = 256
"""Characters of a text in an index; PostgreSQL refuses to index some 2,700 bytes or more."""
COLUMNS = 'reference, chat, "user", time, sha256, more, arrived'
"""What `sighting_of` takes."""


def stored(text: str) -> str:
    """The text; neither NUL nor half an emoji, as JSON can carry them, fits into a column."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode(errors="replace").decode()


def indexed(text: str) -> str:
    """What stands for a text in an index: mostly itself."""
    text = stored(text)
    return text if len(text) <= _MAX_INDEXED else "long:" + digest(text)


def digest(*parts: object) -> str:
    """A short name for some values together."""
    said = json.dumps(parts, ensure_ascii=True).encode()
    return blake2b(said, digest_size=16).hexdigest()


def sighting_values(row: Sequence[Any], ahead: float) -> tuple[Any, ...]:
    """A sighting's values, in the order of the table, from those in the outbox.

    Args:
        row: as `rows.row` gives it.
        ahead: seconds by which the database's clock is ahead of the host's.
    """
    message, bot, position, chat, user, time, sha256, key, reference, more, arrived = row
    # not the position alone: where two hosts run the same bot, both count how often an id came
    identity = digest(message, bot, position % AGAIN, chat, key, int(position >= AGAIN) and time)
    return (
        *(identity, indexed(message), indexed(bot), position, indexed(chat), indexed(user)),
        *(float(time), sha256, indexed(key), stored(reference), stored(more), arrived + ahead),
    )


def sighting_of(row: Sequence[Any]) -> Sighting:
    """A sighting from the values of `COLUMNS`."""
    return load(tuple(row))
