"""A short memory of failures, so that ten plugins which ask in turn cause one attempt."""

import time

from cachetools import LRUCache, TTLCache

from ..errors import Cause, ImageUnavailable
from ..messages.reference import ImageReference

_SECONDS = 30.0
"""For how long a failure is remembered; links and implementations may recover by then."""
_MAX_FAILURES = 1024
_MAX_HINTS = 1024
"""Hints that are remembered for longer, for who looks at what is missing."""
_MAX_HELD = 4096
"""Bytes that a remembered reference may hold itself, as base64 in its segment."""


class Failures:
    """Which references could not be resolved a moment ago, and why."""

    def __init__(self) -> None:
        self._failures: TTLCache[ImageReference, ImageUnavailable] = TTLCache(
            _MAX_FAILURES, _SECONDS, timer=lambda: time.monotonic()
        )
        self._hints: LRUCache[str, str] = LRUCache(_MAX_HINTS)

    def get(self, reference: ImageReference) -> ImageUnavailable | None:
        """Why this very reference failed a moment ago; None where it did not."""
        return self._failures.get(reference) if self._failures else None

    def add(self, reference: ImageReference, failure: ImageUnavailable) -> None:
        """Remember why a reference failed."""
        self._hints[reference.key] = failure.hint
        if reference.held <= _MAX_HELD:
            self._failures[reference] = failure.again()  # without the traceback of this one

    def hint(self, reference: ImageReference) -> str:
        """The hint of the last failure of what a reference claims; empty where there is none."""
        return self._hints.get(reference.key, "")

    def forget(self, reference: ImageReference) -> None:
        """Forget that a reference failed."""
        self._failures.pop(reference, None)

    def forget_of_connection(self, self_id: str) -> None:
        """Forget the failures of a bot's images that had to do with its connection."""
        gone = [
            reference
            for reference, failure in self._failures.items()
            if reference.self_id == self_id and of_connection(failure)
        ]
        for reference in gone:
            self.forget(reference)

    def clear(self) -> None:
        """Forget everything."""
        self._failures.clear()


def of_connection(failure: ImageUnavailable) -> bool:
    """Whether a failure has to do with the bot's connection, so that another one may cure it."""
    return any(
        not attempt.by_link and attempt.cause in (Cause.UNREACHABLE, Cause.TIMEOUT, Cause.SKIPPED)
        for attempt in failure.attempts
    )
