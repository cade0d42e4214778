"""What plugins have found out about pictures: kept by content, and searched."""

import re
import time

from ..errors import StoreError
from ..language import Text, say
from .local import annotations
from .local.access.access import Access
from .local.annotations import Annotation
from .memory.journal import Journal

_MAX_TEXT = 16_384
"""Bytes in UTF-8 of one text: several pages."""
_MAX_OWNER = 100
"""Characters of an owner's name."""
_MAX_QUERY = 200
"""Characters of what is searched for."""
_MAX_FOUND = 1000
"""Annotations found at once."""
_CONTROLS = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069]")
"""All but tabs and ends of lines."""


class Annotations:
    """Keeps annotations, in one place for all processes that share the store.

    Every coroutine raises `StoreError` where the store cannot be used.

    Args:
        access: to the index.
        journal: what is yet to be written down.
    """

    def __init__(self, access: Access, journal: Journal) -> None:
        self._access = access
        self._journal = journal

    async def put(self, sha256: str, owner: str, text: str, when: float | None = None) -> bool:
        """Keep what an owner says of a picture, instead of what the same owner said before.

        Args:
            sha256: of the picture.
            owner: who says it, such as the name of a plugin.
            text: what is said; empty to take it back.
            when: when it was said (seconds since the epoch), if not now. What was said later
                stays.

        Returns:
            Whether the picture is there.

        Raises:
            ValueError: the owner or the text is too long.
            StoreError: sixteen others have said something of the picture already.
        """
        now = time.time()
        said = now if when is None else min(when, now)  # a later one could not be replaced
        annotation = Annotation(sha256, cleaned(owner), cleaned(text), said)
        if len(annotation.owner) > _MAX_OWNER:
            raise ValueError(say("an owner has at most {count} characters", count=_MAX_OWNER))
        if len(annotation.text.encode(errors="replace")) > _MAX_TEXT:
            raise ValueError(say("an annotation has at most {count} bytes", count=_MAX_TEXT))
        there = await self._access.write(lambda db: annotations.put(db, annotation))
        if there is None:
            raise StoreError(
                Text("too many have said something of {image} already", image=annotation.uri)
            )
        return there

    async def of(self, sha256: str) -> list[Annotation]:
        """What is known of a picture, the latest first."""
        return await self._access.read(lambda db: annotations.of(db, sha256))

    async def search(
        self, text: str, *, owner: str | None, chat: str | None, limit: int
    ) -> list[Annotation]:
        """The annotations in which every word of a text stands, the latest first.

        Args:
            text: words with spaces between them, each of which may be a part of a word; empty for
                all annotations. ASCII letters are found in either case.
            owner: who said it; None for anybody.
            chat: the chat that the picture was seen in, as in `Sighting.chat`; None for any.
            limit: how many at most; never more than 1,000.

        Raises:
            ValueError: the text is too long.
        """
        if len(text) > _MAX_QUERY:
            raise ValueError(say("search for at most {count} characters", count=_MAX_QUERY))
        if chat is not None:
            await self._journal.flush()  # where pictures were seen may not be written down yet
        words, most = dict.fromkeys(cleaned(text).split()), max(0, min(limit, _MAX_FOUND))
        return await self._access.read(
            lambda db: annotations.search(db, words, owner=owner, chat=chat, limit=most)
        )

    async def tidy(self) -> None:
        """Put in order what earlier releases, and processes without full-text search, have left."""
        while any(left := await self._access.read(annotations.left_behind)):
            await self._access.write(lambda db, left=left: annotations.tidy(db, left))


def cleaned(text: str) -> str:
    """A text without control characters, and without those that turn the direction of others.

    The text may come from a picture, and what shows it may be a terminal.
    """
    return _CONTROLS.sub(" ", text).strip()
