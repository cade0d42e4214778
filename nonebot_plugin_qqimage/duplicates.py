"""Stored pictures that are the same picture, re-encoded or resized, in groups.

Each picture of a group is the same as another one of it, and not always as all others: a small copy
may be too far from a smaller one, when both are the same as the large picture. So nothing that is
the same as anything is left out, and no picture is in two groups.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from typing import NamedTuple

from .content.looks.look import SAME
from .similar import Comparing
from .store.image_store import ImageStore
from .store.local.facts import Selection, Stored

_PAGE = 200
"""Pictures looked up at once."""


class Member(NamedTuple):
    """A picture of a group."""

    stored: Stored
    """What is known of it."""
    distance: int = 0
    """In how many of 256 bits its hash differs from that of another one before it in the group, by
    which it was found; 0 for the first one."""
    difference: float = 0.0
    """How much its pixels do; up to 1 it is no more than what re-encoding does."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of the picture."""
        return self.stored.info.sha256


Same = Callable[[str, Collection[str]], AsyncIterator[Member]]
"""Gives the pictures that are the same as one with a SHA-256, but for some that are known, in the
order of their SHA-256."""


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

    def same(sha256: str, known: Collection[str]) -> AsyncIterator[Member]:
        return _same(store, sha256, known)

    while page := await store.catalog.select(Selection(), after=after, limit=_PAGE):
        for stored in page:
            yield stored.info.sha256, await group_of(Member(stored), same)
        after = page[-1].info.sha256


async def group_of(first: Member, same: Same) -> list[Member]:
    """The group that a picture is the first of, by digest; empty where it is not, or is alone.

    Args:
        first: the picture.
        same: what is the same as one.
    """
    found = {first.sha256: first}
    waiting = deque([first.sha256])
    while waiting:
        async for member in same(waiting.popleft(), found):
            if member.sha256 < first.sha256:
                return []
            found[member.sha256] = member
            waiting.append(member.sha256)
    return [*found.values()] if len(found) > 1 else []


async def _same(store: ImageStore, sha256: str, known: Collection[str]) -> AsyncIterator[Member]:
    whole = [look for look in await store.looks.of(sha256) or [] if look.part == "whole"]
    comparing = Comparing(store, sha256)
    for match in sorted(await store.looks.near(whole, most=SAME)):
        # it is compared as a whole
        if match.sha256 == sha256 or match.sha256 in known or match.other_part != "whole":
            continue
        told = await comparing.with_other(match)
        if told is None or told.kind != "same":
            continue
        for stored in await store.catalog.select(Selection(prefix=match.sha256), limit=1):
            yield Member(stored, match.distance, told.difference or 0.0)
