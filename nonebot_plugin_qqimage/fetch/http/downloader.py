"""Downloading: by one client, made when it is first needed, with the settings of the operator."""

import asyncio
import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from ...errors import AttemptFailed, Cause
from ...language import Text
from ...settings.values import mirror_url, proxy_url
from ..reservation import Reservation

if TYPE_CHECKING:
    from .transfer import Transfers

_LIBRARIES = ("httpx", "aiohttp")
"""What takes longest to import, each in a piece of its own."""


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
        self._mirrors = {host.lower(): mirror_url(host, base) for host, base in mirrors.items()}
        self._proxy = proxy_url(proxy)
        self._trusted = trusted_hosts
        self._transfers: Transfers | None = None
        self._making = asyncio.Lock()

    async def get(self, url: str, reservation: Reservation) -> bytes:
        """Download an image.

        Args:
            url: an http(s) URL; its host is replaced when there is a mirror for it.
            reservation: corrected to the size that is really held.

        Raises:
            AttemptFailed: no answer, an error, or more bytes than allowed.
        """
        transfers = await self._ready()
        try:
            with anyio.fail_after(self._timeout):
                return await transfers.get(url, reservation)
        except TimeoutError:
            if reservation.crowded:
                detail = Text(
                    "others hold all the memory that QQIMAGE__MAX_BYTES_IN_FLIGHT allows, for "
                    "more than {seconds:g} s",
                    seconds=self._timeout,
                )
                raise AttemptFailed(Cause.BUSY, detail) from None
            detail = Text("not downloaded within {seconds:g} s", seconds=self._timeout)
            raise AttemptFailed(Cause.TIMEOUT, detail) from None

    async def warm_up(self) -> None:
        """Make the client ready, so that the first download does not wait for it.

        The work, about half a second of it, is done in a thread, in pieces.
        """
        await self._ready()

    async def close(self) -> None:
        """Close every connection."""
        if self._transfers is not None:
            await self._transfers.close()

    async def _ready(self) -> "Transfers":
        async with self._making:  # one client, whoever comes first
            if self._transfers is None:
                for library in _LIBRARIES:
                    await anyio.to_thread.run_sync(importlib.import_module, library)
                self._transfers = await anyio.to_thread.run_sync(self._make)
            return self._transfers

    def _make(self) -> "Transfers":
        from .transfer import Transfers

        return Transfers(
            max_size=self._max_size,
            mirrors=self._mirrors,
            proxy=self._proxy,
            trusted=self._trusted,
        )
