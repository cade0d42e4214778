"""Trouble with the store, told once per cause and not once per image."""

import time

from ..errors import StoreError
from ..language import say
from ..log import logger

_QUIET = 600.0
"""Seconds until trouble of the same cause is logged again."""
_MAX_CAUSES = 256
"""Causes remembered; texts of the system are few, so more would mean a mistake of ours."""


class StoreTrouble:
    """Logs trouble with the store."""

    def __init__(self) -> None:
        self._logged: dict[str, float] = {}

    def log(self, error: StoreError) -> None:
        """Log an error, unless it was logged a moment ago."""
        now, cause = time.monotonic(), str(error)
        if now - self._logged.get(cause, -_QUIET) < _QUIET:
            return
        if len(self._logged) >= _MAX_CAUSES:
            self._logged.clear()
        self._logged[cause] = now
        logger.error(
            say(
                "qqimage: {error}; images are still fetched, but not kept. Hint: make room on the "
                "disk, and let the bot's user write to the folder; doctor says how they are",
                error=cause,
            )
        )
