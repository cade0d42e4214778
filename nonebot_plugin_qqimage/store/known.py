"""Known images: which image a reference means, kept in memory for those that come often."""

import time
from collections import OrderedDict

from ..content.info import ImageInfo
from ..messages.reference import ImageReference

_MAX_KNOWN = 4096
"""References whose image is known without looking: some 2 MB of memory."""
_FRESH = 60.0
"""Seconds for which they are: another process may evict it, or forget it."""
_UNKNOWN = None, 0.0


class Known:
    """The references that were looked up last."""

    def __init__(self) -> None:
        self._infos: OrderedDict[str, tuple[ImageInfo, float]] = OrderedDict()

    def get(self, reference: ImageReference) -> ImageInfo | None:
        """The image a reference means, if it is known without looking."""
        for key in reference.known_by:
            info, since = self._infos.get(key, _UNKNOWN)
            if info is not None and time.monotonic() - since < _FRESH:
                self._infos.move_to_end(key)
                return info
        return None

    def learn(self, reference: ImageReference, info: ImageInfo) -> None:
        """A reference means this image."""
        # not under a file name that the content does not confirm, and not as what this bot sent
        # there: either would speak for other images, as implementations use the same id twice
        promised = reference.sha256 or confirms(info, reference)
        for key in filter(None, [reference.key if promised else "", reference.name]):
            self._infos[key] = info, time.monotonic()
            if len(self._infos) > _MAX_KNOWN:
                self._infos.popitem(last=False)

    def forget(self, digests: set[str]) -> None:
        """These images are not stored any more."""
        for key in [key for key, (info, _) in self._infos.items() if info.sha256 in digests]:
            del self._infos[key]

    def clear(self) -> None:
        """Forget all of them."""
        self._infos.clear()


def confirms(info: ImageInfo, reference: ImageReference) -> bool:
    """Whether the content is what the reference's file name promises."""
    return reference.md5 == info.md5 and reference.size in (None, info.size)
