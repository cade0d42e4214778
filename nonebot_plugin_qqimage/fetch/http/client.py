"""The HTTP client of downloads: httpx on aiohttp's connections.

aiohttp's connector is the place where each address can be checked before it is dialled, and takes a
third of the processor time of httpx's own. Importing this module takes longer than all else
together, so it is done with the first download, in a thread.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ssl import SSLContext
from typing import Any

import aiohttp
import httpx
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
from httpx_aiohttp import AiohttpTransport
from yarl import URL

from ...masking import mask_logger
from .address_guard import AddressGuard, requested
from .tls import QQ_HOSTS, default_context, qq_context

UNUSABLE = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.RemoteProtocolError, ValueError)
"""What a request raises where trying again is no use."""
CONNECT_TIMEOUT = 10.0
"""Seconds for one connection: a host that does not answer until then will not later."""
_MAX_CONNECTIONS = 64
"""For each of the two TLS contexts; more downloads than this wait for their turn."""
_KEEPALIVE = 30.0
"""Seconds for which an unused connection is kept."""
_SOCKS_PORT = 1080


def make_client(proxy: str, guard: AddressGuard) -> httpx.AsyncClient:
    """A client for downloads; it connects to nothing yet, so it can be made in any thread.

    It keeps no cookies, asks for no compression (a compressed body would have to be unpacked before
    its size is known), and pays no heed to the environment's proxies.

    Args:
        proxy: proxy URL, or an empty string.
        guard: checks the addresses connected to, unless a proxy does the connecting.
    """
    mask_logger("httpx")
    qq = _transport(proxy, guard, qq_context())
    return httpx.AsyncClient(
        transport=_transport(proxy, guard, default_context()),
        mounts={f"all://*{ending}": qq for ending in QQ_HOSTS},
        headers={"Accept": "image/*,*/*;q=0.8", "Accept-Encoding": "identity"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
        trust_env=False,
    )


def broken(proxy: str) -> tuple[type[Exception], ...]:
    """What a request raises where the connection is to blame.

    Args:
        proxy: proxy URL, or an empty string.
    """
    errors = (httpx.TransportError, aiohttp.ClientError, OSError)
    if proxy.startswith("socks"):
        from aiohttp_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError  # an extra

        return (*errors, ProxyConnectionError, ProxyError, ProxyTimeoutError)
    return errors


@asynccontextmanager
async def get(client: httpx.AsyncClient, url: URL) -> AsyncGenerator[httpx.Response, None]:
    """Request a URL, without following redirects; the body is not read yet.

    Args:
        client: made by `make_client`.
        url: what to request. It is sent as it stands there.

    Raises:
        Exception: one of `UNUSABLE` where the URL cannot be requested, or the answer redirects to
            one that cannot; one of `broken` where there is no answer, or not the whole of it. What
            happened then is at the end of the chain of ``__cause__``.
    """
    bare = url.with_user(None).with_fragment(None)
    auth = (url.user, url.password or "") if url.user else None
    token = requested.set(bare)
    try:
        async with client.stream("GET", str(bare), auth=auth) as response:
            yield response
    finally:
        requested.reset(token)


def _transport(proxy: str, guard: AddressGuard, context: SSLContext) -> AiohttpTransport:
    # httpx-aiohttp makes a context of its own where it is given none
    return AiohttpTransport(verify=context, client=partial(_session, proxy, guard, context))


def _session(proxy: str, guard: AddressGuard, context: SSLContext) -> aiohttp.ClientSession:
    """The connections of one transport; called on the event loop, by its first request."""
    options: dict[str, Any] = {
        "ssl": context,
        "limit": _MAX_CONNECTIONS,
        "keepalive_timeout": _KEEPALIVE,
    }
    if proxy.startswith("socks"):
        connector, proxy = _socks(URL(proxy), options), ""
    elif proxy:
        connector = aiohttp.TCPConnector(**options)
    else:
        connector = aiohttp.TCPConnector(
            resolver=guard,
            socket_factory=guard.open_socket,
            use_dns_cache=False,  # each connection is checked
            **options,
        )
    return aiohttp.ClientSession(
        connector=connector,
        proxy=proxy or None,
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(_as_written,),
    )


def _socks(proxy: URL, options: dict[str, Any]) -> aiohttp.BaseConnector:
    """A connector through a SOCKS proxy, which resolves the names, too."""
    from aiohttp_socks import ProxyConnector, ProxyType  # an extra

    return ProxyConnector(
        proxy.host or "",
        proxy.port or _SOCKS_PORT,
        ProxyType.SOCKS5,
        proxy.user,
        proxy.password,
        rdns=True,
        **options,
    )


async def _as_written(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Send the URL as it was written.

    httpx and aiohttp both write the same URL another way, such as ``/`` for ``%2F`` in a query, and
    then what a server has signed is not what it gets.
    """
    request.url = requested.get()
    return await handler(request)
