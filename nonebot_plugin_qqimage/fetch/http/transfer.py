"""Transfers: one image over HTTP, with redirects, retries, and a limit of its size."""

import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import aiohttp
import httpx
import tenacity
from yarl import URL

from ...errors import AttemptFailed, Cause
from ...hints import CUT_SHORT
from ...language import Text
from ..reservation import Reservation, memory_for
from . import client
from .address_guard import AddressGuard, BadHost

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_MAX_REDIRECTS = 5
_ERROR_BODY = 4096
"""Bytes read of an answer that is an error or a redirect."""


class _Transient(AttemptFailed):
    """A failure that may not happen again: a broken connection, a busy server."""


class _Way(NamedTuple):
    """A client, and what checks the hosts that it connects to."""

    client: httpx.AsyncClient
    guard: AddressGuard
    proxied: bool

    @classmethod
    def of(cls, proxy: str, trusted: Sequence[str]) -> "_Way":
        guard = AddressGuard(trusted)
        return cls(client.make_client(proxy, guard), guard, bool(proxy))


class Transfers:
    """Downloads images with one client.

    Args:
        max_size: the largest acceptable image, in bytes.
        mirrors: image host, in lower case → base URL that reverse-proxies it.
        proxy: proxy URL, or an empty string.
        trusted: hosts, addresses and networks that may be private.
    """

    def __init__(
        self, *, max_size: int, mirrors: Mapping[str, URL], proxy: str, trusted: Sequence[str]
    ) -> None:
        self._max_size = max_size
        self._mirrors = mirrors
        self._direct = _Way.of(proxy, trusted)
        # a way of its own, because a connection to a mirror that is kept must serve nothing else
        hosts = [base.host or "" for base in mirrors.values()]
        self._mirrored = _Way.of(proxy, [*trusted, *hosts]) if hosts else self._direct
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
        for way in (self._direct, self._mirrored):
            await way.client.aclose()

    async def _try(self, url: str, reservation: Reservation) -> bytes:
        try:
            return await self._follow(_parsed(url), reservation)
        except client.UNUSABLE as error:
            raise AttemptFailed(Cause.UNREACHABLE, _reason(error)) from None
        except self._broken as error:
            raise _explained(error) from None

    async def _follow(self, url: URL, reservation: Reservation) -> bytes:
        base = self._mirrors.get((url.host or "").lower())
        if base is not None:
            path = f"{base.raw_path.rstrip('/')}{url.raw_path_qs}"
            url = URL(f"{base.origin()}{path}", encoded=True)
        for _ in range(1 + _MAX_REDIRECTS):
            # the mirror's address is open to what is asked of the mirror, and to nothing else
            mirrored = base is not None and url.origin() == base.origin()
            way = self._mirrored if mirrored else self._direct
            way.guard.check(url.raw_host or "", proxied=way.proxied)
            async with client.get(way.client, url) as response:
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
            # it may not need what was reserved, but gets no more for what is only promised
            reservation.resize(min(memory_for(int(declared)), reservation.size))
        async for chunk in response.aiter_raw():
            self._check(size + len(chunk))
            await reservation.grow(memory_for(size + len(chunk)))
            size += file.write(chunk)
        reservation.resize(memory_for(size))
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
