"""Invitations: a link that lets one person in, and where it can be opened, which is tried."""

import asyncio
import socket
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import anyio.to_thread
from yarl import URL

from ...language import Text, say
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
    found = await asyncio.gather(*(_tried(base, name) for base in addresses))
    troubles = dict(zip(addresses, found, strict=True))
    there = [base for base, trouble in troubles.items() if not trouble]
    lines = [*_about(troubles, there)]
    if not there:
        return Invitation("", lines)
    best = min(there, key=is_loopback)  # one for others, where there is one
    return Invitation(f"{best}{PATH}?view=login#{secret}", lines)


def _about(troubles: Mapping[str, str], there: Sequence[str]) -> Iterator[Text]:
    if not troubles:
        yield Text(
            "no bot that runs here has the page: it needs a running bot with "
            "nonebot-plugin-qqimage[gallery]"
        )
    for base, trouble in troubles.items():
        if trouble:
            yield Text("does not open: {base} ({why})", base=base, why=trouble)
        else:
            yield Text("tried just now, and it opens: {base}", base=base)
    if there and all(map(is_loopback, there)):
        port = URL(there[0]).port or 80
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


async def _tried(base: str, name: str) -> str:
    """Open the page as a browser would, in a thread, for the server may be on this very loop: why
    it does not open; empty where it does."""
    threads = DaemonThreads(1, "qqimage-page")
    trying = asyncio.get_running_loop().run_in_executor(threads, _trouble, base, name)
    try:
        return await asyncio.wait_for(trying, 2 * _TIMEOUT)
    except asyncio.TimeoutError:
        return say("no answer in time")
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
        return say("something else answers there")
    except urllib.error.HTTPError as error:
        return say("HTTP status {status} instead of the page", status=error.code)
    except (OSError, ValueError) as error:
        return mask_keys(str(getattr(error, "reason", error)))
