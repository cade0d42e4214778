"""Invitations: a link that lets one person in, and where it can be opened, which is tried."""

import asyncio
import socket
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import anyio.to_thread
from yarl import URL

from ...language import Text
from ...masking import mask_keys
from ...serving.urls import ANYWHERE
from ...store.browsing import Browsing
from ...threads import DaemonThreads
from .addresses import PATH, is_loopback

LINK = 600.0
"""Seconds for which a link can be used, once."""
NAME_HEADER = "X-QQImage-Page"
"""Says which installation has answered."""
_TIMEOUT = 3.0
"""Seconds for trying one address; whoever has asked waits for it."""
_ELSEWHERE = ("192.0.2.1", 9)
"""An address for documentation: no packet is sent, but the system says which way it would go."""


@dataclass(frozen=True)
class Place:
    """One address of the page, and whether it can be opened there."""

    base: str
    """The URL before the path."""
    trouble: str = ""
    """Why not; empty where it was opened."""


@dataclass(frozen=True)
class Invitation:
    """A link, and what was found out about where it works."""

    url: str
    """The link, with its secret; empty where the page cannot be opened anywhere."""
    lines: list[Text]
    """What to say of it."""


async def invite(browsing: Browsing, bases: Iterable[str], who: str) -> Invitation:
    """Make a link for somebody, and try where it can be opened.

    Args:
        browsing: keeps it.
        bases: where the page is said to be, the best for others first.
        who: for whom, as the page will show.

    Raises:
        StoreError: the store cannot be used.
    """
    name = f"qqimage_{await browsing.installation()}"
    # first, for the page answers nobody as long as nobody has asked for it
    secret = await browsing.admit("link", LINK, who=who)
    addresses = await anyio.to_thread.run_sync(_addresses_of, [*bases])
    places = await asyncio.gather(*(_tried(base, name) for base in addresses))
    there = [place for place in places if not place.trouble]
    lines = [*_about(places)]
    if not there:
        return Invitation("", lines)
    best = min(there, key=lambda place: is_loopback(place.base))  # for others, where there is one
    return Invitation(f"{best.base}{PATH}?view=login#{secret}", lines)


def _about(places: Iterable[Place]) -> Iterator[Text]:
    places = [*places]
    there = [place for place in places if not place.trouble]
    if not places:
        yield Text(
            "no bot that runs here has the page: it needs a running bot with "
            "nonebot-plugin-qqimage[gallery]"
        )
    for place in places:
        if not place.trouble:
            yield Text("tried just now, and it opens: {base}", base=place.base)
        else:
            yield Text("does not open: {base} ({why})", base=place.base, why=place.trouble)
    if there and all(is_loopback(place.base) for place in there):
        port = URL(there[0].base).port or 80
        yield Text(
            "that is the bot's own machine, and no other. From elsewhere: ssh -L "
            "{port}:127.0.0.1:{port} to that machine, then open the link; or set "
            "QQIMAGE__PUBLIC_URL to how others reach the bot",
            port=port,
        )


def _addresses_of(bases: Iterable[str]) -> list[str]:
    return [*dict.fromkeys(each for base in bases for each in _addresses(base))]


def _addresses(base: str) -> Iterator[str]:
    """What a base URL means for a browser: a server that listens everywhere has many addresses."""
    base, url = base.rstrip("/"), URL(base)
    if url.host not in ANYWHERE:
        yield base
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward:
        try:
            outward.connect(_ELSEWHERE)
            yield str(url.with_host(outward.getsockname()[0])).rstrip("/")
        except OSError:
            pass  # no network
    yield str(url.with_host(ANYWHERE[url.host])).rstrip("/")


async def _tried(base: str, name: str) -> Place:
    """Open the page as a browser would, in a thread: the server may be on this very loop."""
    threads = DaemonThreads(1, "qqimage-page")
    trying = asyncio.get_running_loop().run_in_executor(threads, _trouble, base, name)
    try:
        return Place(base, await asyncio.wait_for(trying, 2 * _TIMEOUT))
    except asyncio.TimeoutError:
        return Place(base, Text("no answer in time").local)
    finally:
        threads.shutdown(wait=False)


def _trouble(base: str, name: str) -> str:
    """Why the page cannot be opened there; empty where it can. Blocks."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{base}{PATH}?view=login")
    try:
        with opener.open(request, timeout=_TIMEOUT) as response:
            if response.headers.get(NAME_HEADER) == name:
                return ""
        return Text("something else answers there").local
    except urllib.error.HTTPError as error:
        return Text("HTTP status {status} instead of the page", status=error.code).local
    except (OSError, ValueError) as error:
        return mask_keys(str(getattr(error, "reason", error)))
