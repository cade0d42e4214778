"""The HTTP client of downloads: connections, redirects, byte caps, and answers put into words.

It is imported with the first download: httpx takes longer to import than all else together.
"""

import io
import logging
import ssl
from collections.abc import Mapping

import httpx
import tenacity
from yarl import URL

from ..budget import Reservation, memory_for
from ..errors import AttemptFailed, Cause, mask_keys
from .address_guard import AddressGuard, GuardedTransport
from .tls import QQ_HOSTS, default_context, qq_context

_LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=30)
_MAX_REDIRECTS = 5
_ERROR_BODY = 4096
"""Bytes read of an answer that is an error or a redirect."""
_CONNECT_TIMEOUT = 10.0


class _MayPass(AttemptFailed):
    """A failure that may not happen again: a broken connection, a busy server."""


class HttpClient:
    """Fetches images over HTTP. Making one takes some 40 ms, for TLS contexts do.

    Args:
        timeout: seconds without any answer.
        max_size: the largest acceptable image, in bytes.
        mirrors: image host → base URL that reverse-proxies it.
        proxy: proxy URL, or an empty string.
        guard: checks the addresses connected to, unless a proxy does the connecting.
    """

    def __init__(
        self,
        *,
        timeout: float,
        max_size: int,
        mirrors: Mapping[str, URL],
        proxy: str,
        guard: AddressGuard,
    ) -> None:
        self._timeout = timeout
        self._max_size = max_size
        self._mirrors = mirrors
        self._proxy = httpx.Proxy(proxy) if proxy else None
        self._guard = guard
        self._client = self._make_client(default_context(), qq_context())

    async def get(self, url: str, reservation: Reservation) -> bytes:
        """Download an image, trying again where that may help.

        Raises:
            AttemptFailed: no answer, an error, or more bytes than allowed.
        """
        return await _retrying(self._try, url, reservation)

    async def _try(self, url: str, reservation: Reservation) -> bytes:
        try:
            return await self._fetch(self._target(url), reservation)
        except httpx.TimeoutException:
            raise AttemptFailed(
                Cause.TIMEOUT, f"no connection within {_CONNECT_TIMEOUT:g} s"
            ) from None
        except httpx.TransportError as error:
            raise _MayPass(Cause.UNREACHABLE, str(error) or type(error).__name__) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise AttemptFailed(Cause.UNREACHABLE, str(error) or type(error).__name__) from None

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def _target(self, url: str) -> httpx.URL:
        target = httpx.URL(url)
        base = self._mirrors.get(target.host)
        if base is None:
            return target
        path = base.raw_path.rstrip("/").encode() + target.raw_path
        return httpx.URL(str(base.origin())).copy_with(raw_path=path)

    async def _fetch(self, url: httpx.URL, reservation: Reservation) -> bytes:
        request: httpx.Request | None = self._client.build_request("GET", url)
        for _ in range(1 + _MAX_REDIRECTS):
            response = await self._client.send(request, stream=True)
            try:
                # httpx would follow by itself, but reads the whole body of each redirect before
                request = response.next_request
                if request is None:
                    return await self._read(response, reservation)
                await _start(response)
            finally:
                await response.aclose()
        raise AttemptFailed(Cause.FAILED, f"more than {_MAX_REDIRECTS} redirects")

    async def _read(self, response: httpx.Response, reservation: Reservation) -> bytes:
        if response.status_code != 200:
            raise _refusal(response.status_code, await _start(response))
        declared = response.headers.get("content-length", "")
        file, size = io.BytesIO(), 0
        if declared.isdigit():
            self._check(int(declared))
            reservation.resize(memory_for(int(declared)))
            _make_room(file, int(declared))
        async for chunk in response.aiter_raw():
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

    def _make_client(self, default: ssl.SSLContext, qq: ssl.SSLContext) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=self._transport(default),
            mounts={f"https://{host}": self._transport(qq) for host in QQ_HOSTS},
            # a compressed body would have to be unpacked before its size is known
            headers={"Accept": "image/*,*/*;q=0.8", "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(self._timeout, connect=_CONNECT_TIMEOUT),
            trust_env=False,
        )

    def _transport(self, context: ssl.SSLContext) -> httpx.AsyncHTTPTransport:
        if self._proxy is None:
            return GuardedTransport(self._guard, context, _LIMITS)
        # the proxy resolves the names, so the addresses cannot be checked here
        return httpx.AsyncHTTPTransport(
            verify=context, proxy=self._proxy, limits=_LIMITS, trust_env=False
        )


def _make_room(file: io.BytesIO, size: int) -> None:
    """Take the memory at once: many buffers that grow side by side take twice as much."""
    if size:
        file.seek(size - 1)
        file.write(b"\0")
        file.seek(0)


async def _start(response: httpx.Response) -> str:
    """The start of a body; reading a short one to its end lets its connection be used again."""
    body = bytearray()
    async for chunk in response.aiter_raw():
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


# stamina would do, but for the warning it logs at each retry
_retrying = tenacity.AsyncRetrying(
    retry=tenacity.retry_if_exception_type(_MayPass),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_random_exponential(multiplier=0.2, max=2),
    reraise=True,
)


class _MaskedKeys(logging.Filter):
    """httpx logs each URL it requests, and the keys in it open other people's pictures."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                mask_keys(str(arg)) if isinstance(arg, httpx.URL) else arg for arg in record.args
            )
        return True


logging.getLogger("httpx").addFilter(_MaskedKeys())
