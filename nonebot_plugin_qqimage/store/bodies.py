"""Bodies: verified bytes kept in memory for a while, for several usually want a new image."""

from collections import OrderedDict

_MAX_BODY = 1024 * 1024
"""Bytes of the largest image that is kept; most are far smaller."""


class Bodies:
    """The bytes of the images used last.

    Args:
        max_size: bytes of all of them.
    """

    def __init__(self, max_size: int) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._free = max_size

    def get(self, sha256: str) -> bytes | None:
        """An image's bytes, if they are here."""
        body = self._kept.get(sha256)
        if body is not None:
            self._kept.move_to_end(sha256)
        return body

    def keep(self, sha256: str, body: bytes) -> None:
        """Keep an image's bytes, unless they are many."""
        if len(body) > _MAX_BODY or sha256 in self._kept:
            return
        self._kept[sha256] = body
        self._free -= len(body)
        while self._free < 0:
            self._free += len(self._kept.popitem(last=False)[1])

    def drop(self, sha256: str) -> None:
        """Keep them no longer."""
        self._free += len(self._kept.pop(sha256, b""))

    def clear(self) -> None:
        """Keep none of them."""
        for sha256 in list(self._kept):
            self.drop(sha256)
