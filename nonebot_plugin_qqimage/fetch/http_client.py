"""The HTTP client of downloads: connections, redirects, byte caps, and answers put into words.

It is imported with the first download: aiohttp takes longer to import than all else together.
"""

import asyncio
import io
import ssl
from collections.abc import Mapping

import aiohttp
import tenacity
from yarl import URL

from ..errors import AttemptFailed, Cause, mask_keys
from .address_guard import AddressGuard
from .reservation import Reservation, memory_for
from .tls import QQ_HOSTS

_MAX_CONNECTIONS = 64
_KEEPALIVE = 30.0
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_MAX_REDIRECTS = 5
_ERROR_BODY = 4096
"""Bytes read of an answer that is an error or a redirect."""
_CONNECT_TIMEOUT = 10.0


class _MayPass(AttemptFailed):
    """A failure that may not happen again: a broken connection, a busy server."""


class HttpClient:
    """Fetches images over HTTP. To be made on the event loop.

    Args:
        max_size: the largest acceptable image, in bytes.
        mirrors: image host → base URL that reverse-proxies it.
        proxy: proxy URL, or an empty string.
        guard: checks the addresses connected to, unless a proxy does the connecting.
        default: the TLS context for most hosts.
        qq: the TLS context for QQ's.
    """

    def __init__(
        self,
        *,
        max_size: int,
        mirrors: Mapping[str, URL],
        proxy: str,
        guard: AddressGuard,
        default: ssl.SSLContext,
        qq: ssl.SSLContext,
    ) -> None:
        self._max_size = max_size
        self._mirrors = mirrors
        # the proxy resolves the names, so the addresses cannot be checked here
        self._guard = None if proxy else guard
        self._default, self._qq = default, qq
        self._failures: tuple[type[Exception], ...] = aiohttp.ClientError, OSError
        if proxy.startswith("socks"):
            from . import socks

            self._failures += socks.ERRORS
            connector = socks.connector(proxy, limit=_MAX_CONNECTIONS, keepalive_timeout=_KEEPALIVE)
            proxy = ""
        else:
            connector = aiohttp.TCPConnector(
                resolver=guard,
                use_dns_cache=False,  # each connection is checked
                limit=_MAX_CONNECTIONS,
                keepalive_timeout=_KEEPALIVE,
            )
        self._session = aiohttp.ClientSession(
            connector=connector,
            proxy=proxy or None,
            # a compressed body would have to be unpacked before its size is known
            headers={"Accept": "image/*,*/*;q=0.8", "Accept-Encoding": "identity"},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT),
        )

    async def get(self, url: str, reservation: Reservation) -> bytes:
        """Download an image, trying again where that may help.

        Raises:
            AttemptFailed: no answer, an error, or more bytes than allowed.
        """
        return await _retrying(self._try, url, reservation)

    async def _try(self, url: str, reservation: Reservation) -> bytes:
        try:
            return await self._fetch(self._target(url), reservation)
        except asyncio.TimeoutError:
            detail = f"no connection within {_CONNECT_TIMEOUT:g} s"
            raise AttemptFailed(Cause.TIMEOUT, detail) from None
        except ValueError as error:  # aiohttp's own for URLs that cannot be are such, too
            raise AttemptFailed(Cause.UNREACHABLE, _words(error)) from None
        except self._failures as error:
            raise _MayPass(Cause.UNREACHABLE, _words(error)) from None

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    def _target(self, url: str) -> URL:
        target = _parsed(url)
        base = self._mirrors.get((target.host or "").lower())
        if base is None:
            return target
        return URL(f"{base.origin()}{base.raw_path.rstrip('/')}{target.raw_path_qs}", encoded=True)

    async def _fetch(self, url: URL, reservation: Reservation) -> bytes:
        for _ in range(1 + _MAX_REDIRECTS):
            if self._guard is not None:
                self._guard.check(url.raw_host or "")
            async with self._session.get(
                url, ssl=self._context(url), allow_redirects=False
            ) as response:
                location = response.headers.get("Location")
                if response.status not in _REDIRECTS or not location:
                    return await self._read(response, reservation)
                await _start(response)
                url = url.join(_parsed(location))
        raise AttemptFailed(Cause.FAILED, f"more than {_MAX_REDIRECTS} redirects")

    def _context(self, url: URL) -> ssl.SSLContext:
        return self._qq if (url.host or "").lower().endswith(QQ_HOSTS) else self._default

    async def _read(self, response: aiohttp.ClientResponse, reservation: Reservation) -> bytes:
        if response.status != 200:
            raise _refusal(response.status, await _start(response))
        file, size, declared = io.BytesIO(), 0, response.content_length
        if declared is not None:
            self._check(declared)
            reservation.resize(memory_for(declared))
            _make_room(file, declared)
        async for chunk in response.content.iter_any():
            size += file.write(chunk)
            self._check(size)
            if memory_for(size) > reservation.size:
                reservation.resize(memory_for(size))
        reservation.resize(memory_for(size))
        file.truncate(size)
        body = file.getvalue()  # no copy, unlike that of a bytearray
        if body.startswith(b"{"):
            failure = _refusal(200, body[:_ERROR_BODY].decode("utf-8", "replace"))
            if failure.cause is Cause.EXPIRED:  # with a status that means nothing
                raise failure
        return body

    def _check(self, size: int) -> None:
        if size > self._max_size:
            raise AttemptFailed(
                Cause.TOO_LARGE, f"{size} bytes or more, with {self._max_size} allowed"
            )


def _parsed(url: str) -> URL:
    """The URL as it stands there where it can be sent so, or else escaped.

    Raises:
        ValueError: it is none.
    """
    try:
        return URL(url, encoded=url.isascii() and url.isprintable() and " " not in url)
    except IndexError:  # yarl's own mistake, with http://[]@
        raise ValueError("an address in brackets is missing") from None


def _make_room(file: io.BytesIO, size: int) -> None:
    """Take the memory at once: many buffers that grow side by side take twice as much."""
    if size:
        file.seek(size - 1)
        file.write(b"\0")
        file.seek(0)


async def _start(response: aiohttp.ClientResponse) -> str:
    """The start of a body; reading a short one to its end lets its connection be used again."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) >= _ERROR_BODY:
            break
    return bytes(body[:_ERROR_BODY]).decode("utf-8", "replace")


def _refusal(status: int, text: str) -> AttemptFailed:
    detail = f"HTTP {status}" + (f": {text}" if text.strip() else "")
    if "-5503007" in text or "-5503010" in text:
        return AttemptFailed(Cause.EXPIRED, detail)
    if status in (404, 410):
        return AttemptFailed(Cause.NOT_FOUND, detail)
    failure = _MayPass if status == 429 or status >= 500 else AttemptFailed
    return failure(Cause.FAILED, detail)


def _words(error: Exception) -> str:
    reason = error.__cause__ or error  # aiohttp's own words name contexts by their address
    return mask_keys(str(reason)) or type(reason).__name__


# stamina would do, but for the warning it logs at each retry
_retrying = tenacity.AsyncRetrying(
    retry=tenacity.retry_if_exception_type(_MayPass),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_random_exponential(multiplier=0.2, max=2),
    reraise=True,
)
