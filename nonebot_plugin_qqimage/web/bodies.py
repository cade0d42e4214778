"""Bodies: verified bytes kept in memory for a while, so that a hot picture is not read again."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from ..content import ImageInfo
from ..image import StoredImage

_MAX_BYTES = 16 * 1024 * 1024
_MAX_BODY = 1024 * 1024
"""Bytes of the largest image that is kept; most are far smaller."""


class Bodies:
    """The latest images that were read.

    Args:
        read: reads and verifies one; None when the store has lost it.
    """

    def __init__(self, read: Callable[[StoredImage], Awaitable[bytes | None]]) -> None:
        self._read = read
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def at_hand(self, info: ImageInfo) -> bytes | None:
        """An image's bytes, if they are in memory."""
        body = self._kept.get(info.sha256)
        if body is not None:
            self._kept.move_to_end(info.sha256)
        return body

    async def get(self, stored: StoredImage) -> bytes | None:
        """An image's bytes; None when the store has lost them.

        Raises:
            StoreError: the store cannot be read.
        """
        body = self.at_hand(stored.info)
        if body is None:
            body = await self._read(stored)
            if body is not None:
                self._keep(stored.info.sha256, body)
        return body

    def _keep(self, sha256: str, body: bytes) -> None:
        if len(body) > _MAX_BODY or sha256 in self._kept:
            return
        self._kept[sha256] = body
        self._bytes += len(body)
        while self._bytes > _MAX_BYTES:
            self._bytes -= len(self._kept.popitem(last=False)[1])
