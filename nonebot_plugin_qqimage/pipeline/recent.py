"""A short memory of what came of references, so that ten plugins which ask in turn ask once."""

import time
from collections import OrderedDict

from ..errors import ImageUnavailable
from ..messages.reference import ImageReference
from ..pipeline.stored_image import StoredImage

Outcome = StoredImage | ImageUnavailable
"""What can come of resolving a reference."""

_SECONDS = 30.0
_MAX_OUTCOMES = 1024
_MAX_HELD = 4096
"""Bytes that a remembered reference may hold itself."""


class Recent:
    """What came of the latest references. Others with the same name are others here."""

    def __init__(self) -> None:
        self._outcomes: OrderedDict[ImageReference, tuple[float, Outcome]] = OrderedDict()

    def get(self, reference: ImageReference) -> Outcome | None:
        """What came of this very reference a moment ago."""
        when, outcome = self._outcomes.get(reference, (0.0, None))
        return outcome if time.monotonic() - when < _SECONDS else None

    def add(self, reference: ImageReference, outcome: Outcome) -> None:
        """Remember what came of it, unless that would hold on to an image's bytes."""
        if reference.held > _MAX_HELD:
            return
        if isinstance(outcome, StoredImage) and outcome.data is not None:
            return
        self._outcomes[reference] = time.monotonic(), outcome
        self._outcomes.move_to_end(reference)
        if len(self._outcomes) > _MAX_OUTCOMES:
            self._outcomes.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._outcomes.clear()

    def forget(self, reference: ImageReference) -> None:
        """Forget what came of it."""
        self._outcomes.pop(reference, None)
