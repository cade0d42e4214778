"""Pictures like another one: what kind of likeness it is, how sure that is, and where they were."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import anyio.to_thread

from .content.info import ImageInfo
from .content.looks.comparing import Difference, difference
from .content.looks.look import EDITED, SAME, Look
from .image import Image
from .messages.sighting import Sighting
from .store.image_store import ImageStore
from .store.looks import Match

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
        found: list[SimilarImage] = []
        if before := await self._seen(info.sha256):
            found.append(SimilarImage(self._handle(info.uri), "same", 0, 0.0, before))
        near = await self._store.looks.near(looks, chat=self._chat)
        others = [match for match in near if match.sha256 != info.sha256]
        small = await self._store.looks.small(info.sha256) if others else None
        mine = None if small is None else small[1]
        for match in others:
            if len(found) >= limit:
                break
            found += await self._looked_at(match, info, mine)
        return sorted(found, key=lambda each: (_RANKS.index(each.kind), each.distance))[:limit]

    async def _looked_at(
        self, match: Match, info: ImageInfo, mine: "Picture | None"
    ) -> list[SimilarImage]:
        seen = await self._seen(match.sha256)
        if not seen and self._chat is not None:
            return []
        small = await self._store.looks.small(match.sha256)
        if small is None:
            return []
        other, theirs = small
        pixels = None
        if mine is not None and theirs is not None:
            pixels = await compared(mine, theirs, match)
        kind = likeness(match, pixels, still=info.frames == other.frames)
        score = None if pixels is None else round(pixels.score, 3)
        return [SimilarImage(self._handle(other.uri), kind, match.distance, score, seen)]

    async def _seen(self, sha256: str) -> tuple[Sighting, ...]:
        """Where a picture was seen, but for the message that is asked about."""
        here = self._image.reference
        seen = await self._store.sightings(sha256=sha256, chat=self._chat, limit=_MAX_SIGHTINGS)
        place = here.self_id, here.message_id
        return tuple(
            each
            for each in seen
            if not here.message_id or (each.reference.self_id, each.reference.message_id) != place
        )


async def compared(mine: "Picture", theirs: "Picture", match: Match) -> Difference | None:
    """How much two pictures differ in the parts that are near; in a thread, for some 10 ms."""
    return await anyio.to_thread.run_sync(difference, mine, match.part, theirs, match.other_part)


def likeness(match: Match, pixels: Difference | None, *, still: bool) -> Likeness:
    """How two pictures are alike.

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
