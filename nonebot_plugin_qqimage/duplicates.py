"""Stored pictures that are the same picture, re-encoded or resized, in groups."""

from collections.abc import AsyncIterator
from typing import NamedTuple

from .content.looks.look import SAME
from .similar import compared, likeness
from .store.image_store import ImageStore
from .store.local.facts import Selection, Stored
from .store.looks import Match

_PAGE = 200
"""Pictures looked up at once."""


class Member(NamedTuple):
    """A picture of a group."""

    stored: Stored
    """What is known of it."""
    distance: int = 0
    """In how many of 256 bits its hash differs from that of the first of the group."""
    difference: float = 0.0
    """How much its pixels do; up to 1 it is no more than what re-encoding does."""


async def groups_of_same(store: ImageStore, after: str) -> AsyncIterator[tuple[str, list[Member]]]:
    """Go over all stored pictures, in the order of their digests.

    Args:
        store: has them.
        after: the SHA-256 behind which to begin; empty for the first one.

    Yields:
        The SHA-256 of each picture, and the group that it is the first of: empty where there is no
        other one, or it is in the group of an earlier one.

    Raises:
        MissingExtra: Pillow is not installed.
        StoreError: the store cannot be read.
    """
    while page := await store.catalog.select(Selection(), after=after, limit=_PAGE):
        for stored in page:
            yield stored.info.sha256, await _group(store, stored)
        after = page[-1].info.sha256


async def _group(store: ImageStore, stored: Stored) -> list[Member]:
    sha256 = stored.info.sha256
    whole = [look for look in await store.looks.of(sha256) or [] if look.part == "whole"]
    group = [Member(stored)]
    for match in await store.looks.near(whole, most=SAME):
        if match.sha256 == sha256 or match.other_part != "whole":  # it is compared as a whole
            continue
        score = await _score(store, stored, match)
        if score is None:
            continue
        if match.sha256 < sha256:
            return []
        found = await store.catalog.select(Selection(prefix=match.sha256), limit=1)
        group += [Member(each, match.distance, score) for each in found]
    return group if len(group) > 1 else []


async def _score(store: ImageStore, stored: Stored, match: Match) -> float | None:
    """How much two pictures differ, if they are the same."""
    mine = await store.looks.small(stored.info.sha256)
    theirs = await store.looks.small(match.sha256)
    if mine is None or theirs is None or mine[1] is None or theirs[1] is None:
        return None
    pixels = await compared(mine[1], theirs[1], match)
    still = mine[0].frames == theirs[0].frames
    if pixels is None or likeness(match, pixels, still=still) != "same":
        return None
    return pixels.score
