"""Hints: what the operator can change, by what came of the attempts."""

import re
import time
from collections.abc import Iterable
from functools import reduce

from .attempts import Attempt, Cause
from .language import Text


def hint_for(attempts: Iterable[Attempt], kept_until: float = 0.0) -> str:
    """What the operator can change, in English; empty when nothing is known to help.

    Where several things are wrong, each with a cure of its own, it names them all.

    Args:
        attempts: what was tried, in order.
        kept_until: until when QQ keeps the image (seconds since the epoch); 0 where nobody knows.
    """
    cures = _cures(tuple(attempts), kept_until)
    return reduce(_either, cures) if cures else ""


def _either(one: Text, other: Text) -> Text:
    return Text("{one}; or {other}", one=one, other=other)


def _cures(attempts: tuple[Attempt, ...], kept_until: float) -> list[Text]:
    """What is wrong and what cures it, the surest first; any one of them is enough."""
    if not attempts:
        return [_UNTOLD]
    causes = {attempt.cause for attempt in attempts}
    links = [attempt for attempt in attempts if attempt.by_link]
    by_link = {attempt.cause for attempt in links if attempt.detail != CUT_SHORT}
    if Cause.TOO_LARGE in causes:
        return [_TOO_LARGE]
    keyless = any(
        attempt.source == "url with a fresh key"
        and attempt.cause in (Cause.UNSUPPORTED, Cause.FAILED)
        for attempt in attempts
    )
    expired = _EXPIRED_WITHOUT_KEYS if keyless else _EXPIRED
    if kept_until:
        expired = _expired(kept_until, keyless=keyless)
    too_late = Cause.NOT_FOUND in by_link and 0 < kept_until < time.time()
    page = any(map(_is_page, links))
    no_image = not page and any(
        attempt.cause is Cause.REJECTED and not attempt.detail.startswith("another image")
        for attempt in links
    )
    gone = Cause.NOT_FOUND in by_link and not (page or no_image) and Cause.EXPIRED not in causes
    cut_short = any(attempt.detail == CUT_SHORT for attempt in links)
    # what the host does not have is not in the implementation's file, either
    is_host = page or no_image or gone or cut_short
    cures = {
        _HOST_UNREACHABLE: Cause.UNREACHABLE in by_link,
        _HOST_SLOW: Cause.TIMEOUT in by_link and Cause.UNREACHABLE not in by_link,
        expired: Cause.EXPIRED in causes or too_late,
        _PORTAL: page,
        _NO_IMAGE: no_image,
        _HOST_LOST_IT: gone and not too_late,
        _CUT_SHORT: cut_short,
        **({} if is_host else _about_files(attempts)),
        _REFUSED: Cause.REFUSED in causes,
        _SKIPPED: Cause.SKIPPED in causes,
        _BLOCKED: any(attempt.source == EVENT_LOOP for attempt in attempts),
    }
    found = [cure for cure, applies in cures.items() if applies]
    return found or [hint for cause, hint in _LAST_HINTS.items() if cause in causes][:1]


def _about_files(attempts: tuple[Attempt, ...]) -> dict[Text, bool]:
    """What cures that a file cannot be read, by the words of `fetch.files`."""
    unreadable = [each.detail for each in attempts if each.cause is Cause.UNREADABLE]
    said = " ".join(unreadable)
    forbidden, unmapped = "Permission denied" in said, "QQIMAGE__PATH_MAP leads to" in said
    mapped = "(mapped from " in said and not (forbidden or unmapped)
    return {
        _FORBIDDEN: forbidden,
        _MAP_LEADS_NOWHERE: unmapped,
        _NOT_IN_MAPPED_FOLDER: mapped,
        _UNREADABLE: bool(unreadable) and not (forbidden or unmapped or mapped),
    }


def _is_page(attempt: Attempt) -> bool:
    """Whether a web page came in the image's place."""
    return re.search(r"HTML instead|<(!doctype )?html", attempt.detail, re.IGNORECASE) is not None


def _expired(kept_until: float, *, keyless: bool) -> Text:
    """What to do about a dead link of a group's picture, of which it is known how long QQ has it.

    Args:
        kept_until: until when, in seconds since the epoch.
        keyless: whether the implementation gives no fresh keys.
    """
    date = time.strftime("%Y-%m-%d %H:%M", time.localtime(kept_until))
    if kept_until < time.time():
        return Text(
            "QQ kept this group picture until {date}, and no key opens its link any more: have it "
            "sent again",
            date=date,
        )
    if keyless:
        return Text(
            "the key in the link is dead, but QQ keeps this group picture until {date}, so a fresh "
            "key opens it: update the implementation to a version that has get_rkey "
            "(LuckyLilliaBot 5.3, NapCat 4.7.16), or have the image sent again",
            date=date,
        )
    return Text(
        "the key in the link is dead, but QQ keeps this group picture until {date}, so a fresh key "
        "opens it: ask sooner (QQIMAGE__PREFETCH=true), try again later, or have it sent again",
        date=date,
    )


_TOO_LARGE = Text(
    "to accept it, raise QQIMAGE__MAX_IMAGE_SIZE, QQIMAGE__MAX_PIXELS or QQIMAGE__MAX_FRAMES"
)
_HOST_UNREACHABLE = Text(
    "QQ's image host cannot be reached from this bot: check its network, or set QQIMAGE__PROXY or "
    "QQIMAGE__MIRRORS"
)
_HOST_SLOW = Text(
    "QQ's image host does not answer this bot in time: set QQIMAGE__PROXY or QQIMAGE__MIRRORS, or "
    "raise QQIMAGE__DOWNLOAD_TIMEOUT"
)
_NO_IMAGE = Text(
    "what arrived is no image: something on the way, such as a proxy or a login page, may "
    "answer in the image host's place"
)
_HOST_LOST_IT = Text("QQ's image host does not have the image any more: have it sent again")
CUT_SHORT = Text("the connection ended before the whole image had come")
"""What failed downloads say whose connection ended early."""
_CUT_SHORT = Text(
    "the image arrives cut short: something on the way, such as a proxy, ends the connection "
    "early; look there, or set QQIMAGE__PROXY or QQIMAGE__MIRRORS"
)
_EXPIRED = Text(
    "the link is dead: ask sooner (QQIMAGE__PREFETCH=true), or have the image sent again"
)
_EXPIRED_WITHOUT_KEYS = Text(
    "the link is dead and the implementation gives no fresh key for it: have the image sent again, "
    "or update it to a version that has get_rkey (LuckyLilliaBot 5.3, NapCat 4.7.16)"
)
_UNREADABLE = Text(
    "the implementation's file is not visible to this bot: if the implementation runs elsewhere, "
    "share its folder and set QQIMAGE__PATH_MAP, or let it inline base64 "
    "(NapCat: enableLocalFile2Url)"
)
_FORBIDDEN = Text(
    "this bot may not read the implementation's file: let the user that the bot runs as read it, "
    "and open every folder above it"
)
_MAP_LEADS_NOWHERE = Text(
    "QQIMAGE__PATH_MAP names a folder that is not there: correct it, or mount the implementation's "
    "folder there"
)
_NOT_IN_MAPPED_FOLDER = Text(
    "the folder in QQIMAGE__PATH_MAP does not have the file: both sides of it must be the same "
    "folder, as the implementation and as this bot sees it"
)
_PORTAL = Text(
    "a web page came in the image's place: a login page (captive portal), a proxy or a firewall "
    "answers instead of the image host; log in there, or set QQIMAGE__PROXY or QQIMAGE__MIRRORS"
)
_REFUSED = Text(
    "the address lies in a private network: if downloads may reach it, name it in "
    "QQIMAGE__TRUSTED_HOSTS"
)
_SKIPPED = Text(
    "its answer would not fit the connection: connect by reverse WebSocket or DRIVER=~aiohttp, "
    "or say in QQIMAGE__FRAME_LIMIT what it can carry"
)
EVENT_LOOP = Text("the bot's event loop")
"""What attempts call it to have the bot's event loop do something."""
_BLOCKED = Text(
    "some plugin blocks the bot's event loop, as a synchronous download in an async handler does, "
    "so only the link could be tried: its author should use an async client, or a thread"
)
_UNTOLD = Text(
    "the implementation does not say where it is, as Lagrange does not of what its own account "
    "sent; what plugins of this bot send is kept (QQIMAGE__OWN_IMAGES=true)"
)
_LAST_HINTS = {
    Cause.TIMEOUT: Text(
        "no answer in time: check the implementation's log and network, or raise "
        "QQIMAGE__GET_IMAGE_TIMEOUT or QQIMAGE__RESOLVE_TIMEOUT"
    ),
    Cause.UNREACHABLE: Text(
        "no connection to the implementation: look whether it runs, and at its log"
    ),
    Cause.REJECTED: _NO_IMAGE,
    Cause.NOT_FOUND: Text("the implementation has forgotten the image: have it sent again"),
}
