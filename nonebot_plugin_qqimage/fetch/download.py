"""Downloading one URL: within a deadline, by one shared client that is made when it is needed."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from yarl import URL

from ..errors import AttemptFailed, Cause, mask_keys
from .reservation import Reservation
from .tls import default_context, qq_context

if TYPE_CHECKING:
    from .http_client import HttpClient

_PROXIES = ("http", "https", "socks5", "socks5h")


class Downloader:
    """Fetches images over HTTP.

    Args:
        timeout: seconds for one download, redirects included.
        max_size: the largest acceptable image, in bytes.
        mirrors: image host → base URL that reverse-proxies it.
        proxy: proxy URL, or an empty string.
        trusted_hosts: hosts, addresses and networks that may be private.

    Raises:
        ValueError: `proxy` is no usable proxy URL, or a mirror no http(s) URL.
    """

    def __init__(
        self,
        *,
        timeout: float,
        max_size: int,
        mirrors: Mapping[str, str],
        proxy: str,
        trusted_hosts: Sequence[str],
    ) -> None:
        self._timeout = timeout
        self._max_size = max_size
        self._mirrors = {host.lower(): _mirror(host, base) for host, base in mirrors.items()}
        self._proxy = _proxy(proxy)
        self._trusted = [*trusted_hosts, *(base.host or "" for base in self._mirrors.values())]
        self._client: HttpClient | None = None
        self._making = asyncio.Lock()

    async def get(self, url: str, reservation: Reservation) -> bytes:
        """Download an image.

        Args:
            url: an http(s) URL; its host is replaced when there is a mirror for it.
            reservation: corrected to the size that is really held.

        Raises:
            AttemptFailed: no answer, an error, or more bytes than allowed.
        """
        client = await self._get_client()
        try:
            with anyio.fail_after(self._timeout):
                return await client.get(url, reservation)
        except TimeoutError:
            raise AttemptFailed(
                Cause.TIMEOUT, f"not downloaded within {self._timeout:g} s"
            ) from None

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.close()

    async def _get_client(self) -> "HttpClient":
        async with self._making:
            if self._client is None:
                # the imports and the TLS contexts take long
                self._client = (await anyio.to_thread.run_sync(self._prepare))()
            return self._client

    def _prepare(self) -> "Callable[[], HttpClient]":
        from .address_guard import AddressGuard
        from .http_client import HttpClient

        return partial(
            HttpClient,
            max_size=self._max_size,
            mirrors=self._mirrors,
            proxy=self._proxy,
            guard=AddressGuard(self._trusted),
            default=default_context(),
            qq=qq_context(),
        )


def _mirror(host: str, base: str) -> URL:
    with contextlib.suppress(ValueError):
        url = URL(base)
        if url.scheme in ("http", "https") and url.host:
            return url
    raise ValueError(
        f"QQIMAGE__MIRRORS: {mask_keys(json.dumps(base))} for {host} is no http(s) URL"
    )


def _proxy(proxy: str) -> str:
    if not proxy:
        return ""
    try:
        parsed = URL(proxy)
        if parsed.scheme not in _PROXIES:
            raise ValueError(f"{json.dumps(proxy)} starts with none of {', '.join(_PROXIES)}")
        if not parsed.host:
            raise ValueError("it names no host")
        if parsed.scheme.startswith("socks") and find_spec("aiohttp_socks") is None:
            raise ValueError("for SOCKS, install nonebot-plugin-qqimage[socks]")
    except ValueError as error:
        raise ValueError(f"QQIMAGE__PROXY: {mask_keys(str(error))}") from None
    return proxy
