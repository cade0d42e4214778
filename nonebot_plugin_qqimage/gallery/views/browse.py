"""Views of stored images: pages of them, and one with all that is known of it."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from nonebot.drivers import Response

from ...content.info import EXTENSIONS
from ...language import say
from ...store.image_store import ImageStore
from ...store.local.browsing.pages import Wanted
from ..web.answers import page
from ..web.requests import Asked

OWNER = "qqimage page"
"""Who keeps what is pinned on the page."""
_PAGE = 60
"""Images on a page."""
_MAX_SIGHTINGS = 50
_SHOWN_WHOLE = 4 * 1024 * 1024
"""Bytes of a picture that is shown as it is; of others the thumbnail is, until somebody asks."""
_SHOWN_BY_BROWSERS = frozenset(("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"))
_FILTERS = ("chat", "user", "type", "from", "since", "until", "text", "pinned")
_MAX_FOUND = 1000
"""Annotated pictures that are found at once."""


@dataclass(frozen=True)
class Choices:
    """What the filters offer."""

    chats: list[str]
    """The chats in which most images were seen."""
    sources: list[str]
    """Where images came from."""


async def newest(store: ImageStore, asked: Asked, choices: Choices, **shown: Any) -> Response:
    """The newest images that fit.

    Args:
        store: has them.
        asked: the filters, and behind which image the page begins.
        choices: what the filters offer.
        **shown: what every page shows.
    """
    wanted = _wanted(asked)
    if asked["text"]:
        wanted = replace(wanted, among=await _annotated(store, asked))
    found = await store.browsing.page(wanted, after=asked["after"], limit=_PAGE)
    given = {name: asked[name] for name in _FILTERS if asked[name]}
    return await page(
        "newest.html",
        **shown,
        found=found,
        given={name: given.get(name, "") for name in _FILTERS},
        filtered=bool(given),
        following=urlencode({"view": "newest", **given, "after": found.after}),
        types=[mime.removeprefix("image/") for mime in EXTENSIONS],
        choices=choices,
    )


async def one(store: ImageStore, asked: Asked, **shown: Any) -> Response:
    """One image, and all that is known of it."""
    described = None
    for sha256 in asked.digests()[:1]:
        found = await store.catalog.describe(sha256, max_sightings=_MAX_SIGHTINGS)
        described = found[0] if found else None
    if described is None:
        return await message(404, say("This picture is not stored (any more)."), **shown)
    info = described.stored.info
    return await page(
        "picture.html",
        **shown,
        known=described,
        info=info,
        annotations=await store.annotations.of(info.sha256),
        owner=OWNER,
        whole=info.frames == 1 and info.size <= _SHOWN_WHOLE and info.mime in _SHOWN_BY_BROWSERS,
        path=str(store.path(info)),
    )


async def _annotated(store: ImageStore, asked: Asked) -> tuple[str, ...]:
    """The pictures in whose annotations a text stands, those annotated last first."""
    text = asked["text"][:200]  # no more can be searched for
    found = await store.annotations.search(
        text, owner=None, chat=asked["chat"] or None, limit=_MAX_FOUND
    )
    return tuple(dict.fromkeys(each.sha256 for each in found))


async def message(status: int, text: str, **shown: Any) -> Response:
    """A page that says one thing."""
    return await page("message.html", status=status, text=text, **shown)


def _wanted(asked: Asked) -> Wanted:
    kind, since, until = asked["type"], _day(asked["since"]), _day(asked["until"])
    return Wanted(
        chat=asked["chat"],
        user=asked["user"],
        mime=f"image/{kind}" if kind else "",
        source=asked["from"],
        since=-math.inf if since is None else since.timestamp(),
        until=math.inf if until is None else (until + timedelta(days=1)).timestamp(),
        pinned=bool(asked["pinned"]),
    )


def _day(text: str) -> datetime | None:
    """The beginning of a day in local time; None for what is no day between 1970 and 9000."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d")
    except ValueError:
        return None
    return day if 1970 < day.year < 9000 else None
