"""Looking at pictures in the background, so that they are found again by what they look like.

One at a time, those that have just come first, and with less than a tenth of one processor core.
"""

import asyncio
import contextlib
import random

from ...config import ScopedConfig
from ...content.info import ImageInfo
from ...errors import MissingExtra
from ...store.image_store import ImageStore
from .task import BackgroundTask

_INTERVAL = 3600.0
"""Seconds from one round over all pictures to the next: other processes may have put some there."""
_DELAY = 30.0
"""Seconds after the start: implementations connect, and the first events come in before."""
_SHARE = 12
"""How many times as long as each picture takes the pause after it is. One thread at a time works on
it, so it takes no more processor time than that: a thirteenth of a core at most."""
_AFTER_TROUBLE = 60.0


def looking(
    config: ScopedConfig, store: ImageStore, *, delay: float = _DELAY
) -> BackgroundTask | None:
    """The task that looks at all pictures of a store; None where the settings say not to.

    It ends for good where Pillow is missing.

    Args:
        config: the settings.
        store: the store.
        delay: seconds to wait before the first picture.
    """
    if not config.looks:
        return None
    work = _Looking(store).work
    return BackgroundTask("looking", work, after_trouble=_AFTER_TROUBLE, delay=delay)


class _Looking:
    def __init__(self, store: ImageStore) -> None:
        self._looks = store.looks
        self._waiting: list[ImageInfo] = []
        self._after: str | None = ""

    async def work(self) -> float | None:
        """Look at one picture after the other, for ever, or until Pillow turns out to be missing.

        Raises:
            StoreError: the store cannot be used.
        """
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            info = self._looks.next_new() or (self._waiting.pop() if self._waiting else None)
            try:
                if info is not None and await self._looks.of(info.sha256) is None:
                    await self._looks.make(info)
                elif info is None and not await self._find_more():
                    await self._rest()
                    continue
            except MissingExtra:
                return None
            await asyncio.sleep(_SHARE * (loop.time() - started))

    async def _find_more(self) -> bool:
        """Go over some more pictures; False at the end of a round."""
        if self._after is None:
            self._after = ""
            return False
        self._waiting, after = await self._looks.without(self._after)
        random.shuffle(self._waiting)  # another process on this folder may do the same
        self._after = after or None
        return True

    async def _rest(self) -> None:
        """Wait until a picture comes, or it is time for the next round."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._looks.came_new.wait(), _INTERVAL)
