"""Views of pictures that are like others: similar ones, and groups of the same picture.

Each comparison decodes pictures, so a view looks for a second or two, and says how far it came.
"""

import time
from dataclasses import dataclass
from typing import Any

from nonebot.drivers import Response

from ...duplicates import Member, groups_of_same
from ...language import Text, say
from ...similar import Comparing, Likeness
from ...store.image_store import ImageStore
from ..web.answers import page
from ..web.requests import Asked
from .browse import message

_PATIENCE = 1.5
"""Seconds to look for more."""
_MAX_SIMILAR = 12
_MAX_GROUPS = 20
_KINDS: dict[Likeness, Text] = {
    "same": Text("the same picture, re-encoded or resized"),
    "contains": Text("a part of it, or it is a part of this one"),
    "alike": Text("the same picture with something else on it"),
    "near": Text("perhaps similar"),
}


@dataclass(frozen=True)
class Similar:
    """A picture like another one."""

    sha256: str
    """The SHA-256 of the picture."""
    words: str
    """How they are alike."""


async def similar(store: ImageStore, asked: Asked, **shown: Any) -> Response:
    """The pictures like one, the nearest first."""
    digests = asked.digests()
    info = await store.browsing.info(digests[0]) if digests else None
    if info is None:
        return await message(404, say("This picture is not stored (any more)."), **shown)
    looks = await store.looks.of(info.sha256)
    if looks is None:
        looks = await store.looks.make(info)
    comparing = Comparing(store, info.sha256)
    found: list[Similar] = []
    deadline = time.monotonic() + _PATIENCE
    for match in await store.looks.near(looks or []):
        if len(found) == _MAX_SIMILAR or time.monotonic() > deadline:
            break
        if match.sha256 != info.sha256 and (told := await comparing.with_other(match)):
            found.append(Similar(match.sha256, _KINDS[told.kind].local))
    return await page("similar.html", found=found, info=info, **shown)


async def duplicates(store: ImageStore, asked: Asked, **shown: Any) -> Response:
    """Groups of the same picture, page by page in the order of their digests."""
    groups: list[list[Member]] = []
    after = (asked.digests("after") or [""])[0]
    deadline, done = time.monotonic() + _PATIENCE, True
    async for sha256, group in groups_of_same(store, after):
        after = sha256
        groups += [group] if group else []
        if len(groups) == _MAX_GROUPS or time.monotonic() > deadline:
            done = False
            break
    progress = await store.looks.progress()
    share = int(after[:4] or "0", 16) / 0x10000
    return await page(
        "duplicates.html",
        groups=groups,
        after="" if done else after,
        share=share,
        progress=progress,
        **shown,
    )
