"""Pictures like another one: what kind of likeness it is, how sure that is, and where they were."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from anyio import to_thread

from .content.info import ImageInfo
from .content.looks.comparing import Difference, difference
from .content.looks.decoding import LARGE, SMALL, Size
from .content.looks.look import EDITED, SAME, Look
from .content.looks.small_words import words_between
from .image import Image
from .messages.sighting import Sighting
from .store.image_store import ImageStore
from .store.looks import Match
from .store.shared.tier import DEADLINE

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Likeness = Literal["same", "contains", "alike", "near"]
"""How two pictures are alike; see `SimilarImage.kind`."""
_RANKS: tuple[Likeness, ...] = ("same", "contains", "alike", "near")
_ALIKE = 0.8
"""The correlation of pictures of which one is the other, cut or with something on it."""
_MAX_FOUND = 50
"""Pictures told of at once; each costs decoding it."""
_MAX_SIGHTINGS = 100
"""Sightings told of each picture, the latest ones."""


@dataclass(frozen=True)
class SimilarImage:
    """A picture that is like another one."""

    image: Image
    """A handle on it."""
    kind: Likeness
    """``same``: the same picture, maybe re-encoded or resized. ``contains``: one of them is in the
    other, which may have been cut, framed, or given a caption beside it. ``alike``: the same
    picture with something else on it, such as other words. ``near``: nothing is sure but that their
    hashes are near; tables and chats often are."""
    distance: int
    """In how many of 256 bits the hashes differ, of their parts that are nearest; 0 to 60."""
    difference: float | None
    """How much the pixels of these parts differ: up to 1 it is no more than what re-encoding and
    resizing do; None where that could not be looked at."""
    sightings: tuple[Sighting, ...]
    """Where it was seen, the latest first; without the message that was asked about. Of a picture
    that was imported there may be none."""


class SimilarImages:
    """Finds pictures like one.

    Args:
        store: where they are.
        image: the one.
        handle: gives handles on others.
        chat: the chat that they must have been seen in; None for any.
    """

    def __init__(
        self, store: ImageStore, image: Image, handle: Callable[[str], Image], chat: str | None
    ) -> None:
        self._store = store
        self._image = image
        self._handle = handle
        self._chat = chat
        self._left = DEADLINE  # seconds to wait for the shared store, however often it is asked

    async def find(self, limit: int) -> list[SimilarImage]:
        """The pictures like it, the surest first, at most so many.

        Raises:
            ImageUnavailable: no source has the picture.
            MissingExtra: Pillow is not installed.
            StoreError: the store cannot be read.
        """
        limit = max(0, min(limit, _MAX_FOUND))
        info = (await self._image).info
        looks: list[Look] = await self._store.looks.of(info.sha256) or []
        if not looks:
            looks = await self._store.looks.make(info) or []
        near = await self._store.looks.near(looks, chat=self._chat)
        others = [match for match in near if match.sha256 != info.sha256]
        # together: the shared store may be far away
        seen = await self._seen([info.sha256, *(match.sha256 for match in others[:limit])])
        found: list[SimilarImage] = []
        if before := seen[info.sha256]:
            found.append(SimilarImage(self._handle(info.uri), "same", 0, 0.0, before))
        comparing = Comparing(self._store, info.sha256)
        for number, match in enumerate(others):
            if len(found) >= limit:
                break
            if match.sha256 not in seen:  # some of the first ones were none
                more = others[number : number + limit]
                seen |= await self._seen([each.sha256 for each in more])
            found += await self._looked_at(match, seen[match.sha256], comparing)
        return sorted(found, key=lambda each: (_RANKS.index(each.kind), each.distance))[:limit]

    async def _looked_at(
        self, match: Match, seen: tuple[Sighting, ...], comparing: "Comparing"
    ) -> list[SimilarImage]:
        if not seen and self._chat is not None:
            return []
        told = await comparing.with_other(match)
        if told is None:
            return []
        score = None if told.difference is None else round(told.difference, 3)
        image = self._handle(f"qqimage:{match.sha256}")
        return [SimilarImage(image, told.kind, match.distance, score, seen)]

    async def _seen(self, digests: Sequence[str]) -> dict[str, tuple[Sighting, ...]]:
        """Where pictures were seen, by their SHA-256, but for the message that is asked about."""
        here, begun = self._image.reference, time.monotonic()
        found = await self._store.seen.of(
            digests, chat=self._chat, limit=_MAX_SIGHTINGS, seconds=self._left
        )
        self._left -= time.monotonic() - begun
        place = here.self_id, here.message_id
        return {
            sha256: tuple(
                each
                for each in seen
                if not here.message_id
                or (each.reference.self_id, each.reference.message_id) != place
            )
            for sha256, seen in zip(digests, found, strict=True)
        }


class Told(NamedTuple):
    """How two pictures are alike."""

    kind: Likeness
    """As `SimilarImage.kind`."""
    difference: float | None
    """As `SimilarImage.difference`."""


class Comparing:
    """Compares a picture with others, by their pixels.

    Every coroutine raises `StoreError` where the store cannot be read, and `MissingExtra` where
    Pillow is not installed.

    Args:
        store: where they are.
        sha256: of the picture.
    """

    def __init__(self, store: ImageStore, sha256: str) -> None:
        self._store = store
        self._sha256 = sha256
        self._decoded: dict[Size, tuple[ImageInfo, Picture | None] | None] = {}

    async def with_other(self, match: Match) -> Told | None:
        """How another picture is like it; None where that is not stored any more."""
        mine, theirs = await self._mine(SMALL), await self._store.looks.small(match.sha256)
        if theirs is None:
            return None
        pixels = still = None
        if mine is not None and mine[1] is not None and theirs[1] is not None:
            still = mine[0].frames == theirs[0].frames
            parts = match.part, match.other_part
            pixels = await to_thread.run_sync(difference, mine[1], parts[0], theirs[1], parts[1])
        kind = likeness(match, pixels, still=bool(still))
        score = None if pixels is None else pixels.score
        if kind == "same" and score is not None:
            words = await self._words(match.sha256)
            kind = "alike" if words is None or words > 1 else "same"
            score = max(score, words or 0.0)
        return Told(kind, score)

    async def _words(self, sha256: str) -> float | None:
        """Whether there are small words on one of two pictures; see `words_between`.

        None where one was removed since.
        """
        mine, theirs = await self._mine(LARGE), await self._store.looks.small(sha256, LARGE)
        if mine is None or theirs is None or mine[1] is None or theirs[1] is None:
            return None
        return await to_thread.run_sync(words_between, mine[1], theirs[1])

    async def _mine(self, size: Size) -> "tuple[ImageInfo, Picture | None] | None":
        if size not in self._decoded:
            self._decoded[size] = await self._store.looks.small(self._sha256, size)
        return self._decoded[size]


def likeness(match: Match, pixels: Difference | None, *, still: bool) -> Likeness:
    """How two pictures are alike, as far as one sees that without small words.

    Args:
        match: how one was found.
        pixels: how much they differ; None where that could not be looked at.
        still: whether they have equally many frames; the first ones say nothing of the others.
    """
    if pixels is None:
        return "near"
    if not match.part == match.other_part == "whole":
        return "contains" if pixels.likeness >= _ALIKE else "near"
    if pixels.score <= 1 and match.distance <= SAME and still:
        return "same"
    return "alike" if match.distance <= EDITED or pixels.likeness >= _ALIKE else "near"
