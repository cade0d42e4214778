"""Which links of QQ are dead, as far as that can be known without trying them."""

import time
from collections.abc import Callable

from cachetools import LRUCache

from ..implementation.implementation import Implementation
from ..messages.names.file_id import file_id_of
from ..messages.names.link_key import key_of

_MAX = 4096
"""Refused keys and links that are remembered."""
_KEY_LIFE = 3600.0
"""Seconds for which a key is valid where nobody says it: NapCat and QQ's own clients assume so."""


class DeadLinks:
    """Remembers the keys and links that were refused."""

    def __init__(self) -> None:
        self._refused: LRUCache[str | tuple[str, str], bool] = LRUCache(_MAX)

    def refused(self, url: str) -> None:
        """Take note that a link was refused because it is too old; so are others with its key."""
        self._refused[key_of(url) or url] = True

    def is_dead(
        self,
        url: str,
        seen: float | None,
        find_implementation: Callable[[], Implementation | None],
    ) -> bool:
        """Whether a link must be dead.

        Args:
            url: the link.
            seen: when it came, in seconds since the epoch; None where it is so long ago that nobody
                knows.
            find_implementation: gives the implementation, which may have said how long keys live.
        """
        now, key, link = time.time(), key_of(url), file_id_of(url)
        if link and 0 < link.kept_until < now:
            return True
        if (key or url) in self._refused:
            return True
        if key is None:
            return False  # a link without a key may live for years
        implementation = find_implementation()
        end = implementation.key_end(*key) if implementation else None
        life = (implementation and implementation.key_life(key[0])) or _KEY_LIFE
        return not key[1] or (end or (seen + life if seen else 0.0)) < now
