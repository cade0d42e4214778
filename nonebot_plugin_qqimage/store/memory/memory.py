"""What the store keeps in memory: which image a reference means, and the newest bytes."""

import time
from collections.abc import Iterable

from cachetools import LRUCache, TTLCache

from ...content.info import ImageInfo
from ...messages.reference import ImageReference

_MAX_MEANINGS = 8192
"""Claims and places whose image is known without looking: some 4 MB of memory."""
_FRESH = 60.0
"""Seconds for which it is known."""
_VALID = 0.5
"""Seconds after a look at the index for which nobody has to look again."""
_MAX_DATA = 1024 * 1024
"""Bytes of the largest image that is kept; most are far smaller."""


class Memory:
    """The cache in front of the index and the files. It is used on the event loop only.

    Args:
        size: bytes of images to keep; 0 for none.
    """

    def __init__(self, size: int) -> None:
        # by digest, so that forgetting an image forgets every reference that meant it
        self._digests: TTLCache[str, str] = TTLCache(
            _MAX_MEANINGS, _FRESH, timer=lambda: time.monotonic()
        )
        self._infos: LRUCache[str, ImageInfo] = LRUCache(_MAX_MEANINGS)
        self._data: LRUCache[str, bytes] = LRUCache(size, getsizeof=len)
        self._max_data = min(size, _MAX_DATA)
        self._mark = ""
        self._checked = -_VALID
        self._cleared = -_VALID

    @property
    def fresh(self) -> bool:
        """Whether the index was looked at half a second ago: others may forget an image there."""
        # a look that began before everything was forgotten here may have seen what was there
        return self._checked >= self._cleared and time.monotonic() - self._checked <= _VALID

    @property
    def mark(self) -> str:
        """What changes in the index whenever something is forgotten, as it was last seen."""
        return self._mark

    def meant_by(self, reference: ImageReference) -> ImageInfo | None:
        """The image that a reference means; None where that is not known here."""
        # the key first: what is needed for the other one takes longer to make
        return self._named(reference.key) or self._named(reference.own_key)

    def _named(self, key: str) -> ImageInfo | None:
        try:
            return self._infos[self._digests[key]]
        except KeyError:
            return None

    def checked(self, since: float, mark: str) -> None:
        """Take note that the index was looked at.

        Args:
            since: when looking began, by `time.monotonic`.
            mark: what changes in the index whenever something is forgotten.
        """
        if mark != self._mark:
            self.clear()
        self._mark, self._checked = mark, max(since, self._checked)

    def learn(self, reference: ImageReference, info: ImageInfo, *, confirmed: bool) -> None:
        """Remember which image a reference means.

        Args:
            reference: the reference.
            info: the image.
            confirmed: whether other references that claim the same mean it, too. What the content
                does not confirm must not speak for other messages.
        """
        self._infos[info.sha256] = info
        names = [reference.key if confirmed else reference.own_key]
        # whatever was claimed here, these claims are true: `ImageReference.key` of an MD5 alone
        names += (f"md5:{info.md5}:", f"md5:{info.md5}:{info.size}")
        for name in names:
            self._digests[name] = info.sha256

    def data(self, sha256: str) -> bytes | None:
        """The verified bytes of an image; None where they are not here."""
        return self._data.get(sha256)

    def keep(self, sha256: str, data: bytes) -> None:
        """Keep the verified bytes of an image, unless they are too many."""
        if len(data) <= self._max_data:
            self._data[sha256] = data

    def forget(self, digests: Iterable[str]) -> None:
        """Forget the images with these digests, and what meant them."""
        for sha256 in digests:
            self._infos.pop(sha256, None)
            self._data.pop(sha256, None)

    def clear(self) -> None:
        """Forget everything, and know nothing until the index has been looked at anew."""
        self._cleared = time.monotonic()
        self._digests.clear()
        self._infos.clear()
        self._data.clear()
