"""What plugins have found out about pictures: kept by content, and searched."""

import re
import time

from ..errors import StoreError
from ..language import Text, say
from .local import annotations, outbox, unsent_annotations
from .local.access.access import Access
from .local.annotations import Annotation
from .local.sightings.rows import storable
from .local.sqlite.database import Connection
from .memory.journal import Journal
from .shared.annotations import merged
from .shared.shared import Search
from .shared.tier import SharedTier

_MAX_TEXT = 16_384
"""Bytes in UTF-8 of one text: several pages."""
_MAX_OWNER = 100
"""Characters of an owner's name."""
_MAX_QUERY = 200
"""Characters of what is searched for."""
_MAX_FOUND = 1000
"""Annotations found at once."""
_PATIENCE = 0.5
"""Seconds to wait until the shared store knows what this process has seen in chats."""
_CONTROLS = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069]")
"""All but tabs and ends of lines."""


class Annotations:
    """Keeps annotations, in one place for all processes that share the store, and the shared store.

    What is said is kept here first, and told to the shared store in the background. Where that
    answers, it is asked as well, and what each owner has said last counts.

    Every coroutine raises `StoreError` where the store cannot be used.

    Args:
        access: to the index.
        journal: what is yet to be written down.
        send: whether the shared store is to be told.
        tier: the shared store; None where there is none.
    """

    def __init__(
        self,
        access: Access,
        journal: Journal,
        *,
        send: bool = False,
        tier: SharedTier | None = None,
    ) -> None:
        self._access = access
        self._journal = journal
        self._send = send
        self._tier = tier

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
        there = await self._access.write(lambda db: self._put(db, annotation))
        if self._tier is not None:
            self._tier.hurry()
        if there is None:
            raise StoreError(
                Text("too many have said something of {image} already", image=annotation.uri)
            )
        return there

    async def of(self, sha256: str) -> list[Annotation]:
        """What is known of a picture, the latest first."""
        here, unsent, ask = await self._access.read(
            lambda db: (
                annotations.of(db, sha256),
                unsent_annotations.among(db, [sha256]),
                self._may_ask(db),
            )
        )
        tier = self._tier
        there = await tier.ask(lambda it: it.annotations(sha256)) if tier and ask else None
        if tier is None or there is None:
            return here
        return merged(here, unsent, there, ahead=tier.ahead)

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
        here = await self._access.read(
            lambda db: annotations.search(db, words, owner=owner, chat=chat, limit=most)
        )
        search = Search(tuple(words), owner, chat, most)
        return here if self._tier is None else await self._everywhere(self._tier, search, here)

    async def _everywhere(
        self, tier: SharedTier, search: Search, here: list[Annotation]
    ) -> list[Annotation]:
        """What a search finds here and in the shared store."""
        await tier.sent(_PATIENCE)  # where pictures were seen, and what was forgotten
        if not await self._access.read(self._may_ask):
            return here
        answer = await tier.ask(lambda it: it.search_annotations(search, here))
        if answer is None:
            return here
        found, now = answer
        digests = [*{each.sha256 for each in (*here, *found)}]
        unsent = await self._access.read(lambda db: unsent_annotations.among(db, digests))
        fitting = {(each.sha256, each.owner, each.text) for each in (*here, *found)}
        return [
            each
            for each in merged(here, unsent, [*now, *found], ahead=tier.ahead)
            if (each.sha256, each.owner, each.text) in fitting
        ][: search.limit]

    def _put(self, db: Connection, annotation: Annotation) -> bool | None:
        there = annotations.put(db, annotation)
        if there and self._send:
            sha256 = annotation.sha256
            outbox.add_image_again(db, sha256)
            unsent_annotations.add(db, sha256, str(storable(annotation.owner)), annotation.time)
        return there

    def _may_ask(self, db: Connection) -> bool:
        """Whether the shared store may be asked: not of what it is yet to be told to forget."""
        return self._tier is not None and not outbox.forgetting(db)

    async def tidy(self) -> None:
        """Put in order what earlier releases, and processes without full-text search, have left."""
        while any(left := await self._access.read(annotations.left_behind)):
            await self._access.write(lambda db, left=left: annotations.tidy(db, left))


def cleaned(text: str) -> str:
    """A text without control characters, and without those that turn the direction of others.

    The text may come from a picture, and what shows it may be a terminal.
    """
    return _CONTROLS.sub(" ", text).strip()
