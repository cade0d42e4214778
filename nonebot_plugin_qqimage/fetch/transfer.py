"""Transfers: one image over HTTP, with redirects, retries, and a limit of its size."""

import io
from collections.abc import Mapping

import aiohttp
import httpx
import tenacity
from yarl import URL

from ..errors import CUT_SHORT, AttemptFailed, Cause
from ..language import Text
from . import client
from .address_guard import AddressGuard, BadHost
from .reservation import Reservation, memory_for

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_MAX_REDIRECTS = 5
_ERROR_BODY = 4096
"""Bytes read of an answer that is an error or a redirect."""


class _Transient(AttemptFailed):
    """A failure that may not happen again: a broken connection, a busy server."""


class Transfers:
    """Downloads images with one client.

    Args:
        max_size: the largest acceptable image, in bytes.
        mirrors: image host, in lower case → base URL that reverse-proxies it.
        proxy: proxy URL, or an empty string.
        guard: checks the hosts that are connected to.
    """

    def __init__(
        self, *, max_size: int, mirrors: Mapping[str, URL], proxy: str, guard: AddressGuard
    ) -> None:
        self._max_size = max_size
        self._mirrors = mirrors
        self._proxied = bool(proxy)
        self._guard = guard
        self._client = client.make_client(proxy, guard)
        self._broken = client.broken(proxy)

    async def get(self, url: str, reservation: Reservation) -> bytes:
        """Download an image, trying again where that may help.

        Args:
            url: an http(s) URL; its host is replaced when there is a mirror for it.
            reservation: corrected to the size that is really held.

        Raises:
            AttemptFailed: no answer, an error, or more bytes than allowed.
        """
        return await _retrying(self._try, url, reservation)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _try(self, url: str, reservation: Reservation) -> bytes:
        try:
            return await self._follow(self._target(url), reservation)
        except client.UNUSABLE as error:
            raise AttemptFailed(Cause.UNREACHABLE, _reason(error)) from None
        except self._broken as error:
            raise _explained(error) from None

    def _target(self, url: str) -> URL:
        target = _parsed(url)
        base = self._mirrors.get((target.host or "").lower())
        if base is None:
            return target
        return URL(f"{base.origin()}{base.raw_path.rstrip('/')}{target.raw_path_qs}", encoded=True)

    async def _follow(self, url: URL, reservation: Reservation) -> bytes:
        for _ in range(1 + _MAX_REDIRECTS):
            self._guard.check(url.raw_host or "", proxied=self._proxied)
            async with client.get(self._client, url) as response:
                location = response.headers.get("location")
                if response.status_code not in _REDIRECTS or not location:
                    return await self._read(response, reservation)
                await _start(response)
                url = url.join(_parsed(location))
        raise AttemptFailed(Cause.FAILED, Text("more than {limit} redirects", limit=_MAX_REDIRECTS))

    async def _read(self, response: httpx.Response, reservation: Reservation) -> bytes:
        if response.status_code != 200:
            raise _refusal(response.status_code, await _start(response))
        file, size, declared = io.BytesIO(), 0, response.headers.get("content-length", "")
        if declared.isascii() and declared.isdigit():
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
            detail = Text(
                "{size} bytes or more, with {limit} allowed", size=size, limit=self._max_size
            )
            raise AttemptFailed(Cause.TOO_LARGE, detail)


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


async def _start(response: httpx.Response) -> str:
    """The start of a body; reading a short one to its end lets its connection be used again."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= _ERROR_BODY:
            break
    return bytes(body[:_ERROR_BODY]).decode("utf-8", "replace")


def _refusal(status: int, body: str) -> AttemptFailed:
    """What an answer with this status and body, which is no image, says."""
    detail = f"HTTP {status}" + (f": {body}" if body.strip() else "")
    if "-5503007" in body or "-5503010" in body:
        return AttemptFailed(Cause.EXPIRED, detail)
    if status in (404, 410):
        return AttemptFailed(Cause.NOT_FOUND, detail)
    failure = _Transient if status == 429 or status >= 500 else AttemptFailed
    return failure(Cause.FAILED, detail)


def _explained(error: Exception) -> AttemptFailed:
    """What happened to the connection. The type of an error from httpx says little about it."""
    causes: list[BaseException] = [error]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    for cause in causes:
        if isinstance(cause, BadHost):
            failure = AttemptFailed if cause.cause is Cause.REFUSED else _Transient
            return failure(cause.cause, cause.detail)
        if isinstance(cause, aiohttp.ServerTimeoutError):
            detail = Text("no connection within {seconds:g} s", seconds=client.CONNECT_TIMEOUT)
            return AttemptFailed(Cause.TIMEOUT, detail)
        if isinstance(cause, aiohttp.ClientPayloadError):  # its text looks like a status
            return _Transient(Cause.UNREACHABLE, CUT_SHORT)
    return _Transient(Cause.UNREACHABLE, _reason(causes[-1]))


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__


# stamina would do, but for the warning it logs at each retry
_retrying = tenacity.AsyncRetrying(
    retry=tenacity.retry_if_exception_type(_Transient),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_random_exponential(multiplier=0.2, max=2),
    reraise=True,
)
