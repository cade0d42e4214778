"""SOCKS proxies, by aiohttp-socks: an extra, so this is imported only where one is set."""

import aiohttp
from aiohttp_socks import (
    ProxyConnectionError,
    ProxyConnector,
    ProxyError,
    ProxyTimeoutError,
    ProxyType,
)
from yarl import URL

ERRORS = (ProxyConnectionError, ProxyError, ProxyTimeoutError)
"""What goes wrong with one, beside what aiohttp itself raises."""
_PORT = 1080


def connector(proxy: str, *, limit: int, keepalive_timeout: float) -> aiohttp.BaseConnector:
    """Makes connections through a proxy, which resolves the names, too.

    Args:
        proxy: its URL.
        limit: how many connections there may be.
        keepalive_timeout: seconds for which an unused one is kept.
    """
    url = URL(proxy)
    return ProxyConnector(
        url.host or "",
        url.port or _PORT,
        ProxyType.SOCKS5,
        url.user,
        url.password,
        rdns=True,
        limit=limit,
        keepalive_timeout=keepalive_timeout,
    )
