"""References that are to be resolved in the background, a moment later and together.

Whoever answers a message goes first: what is done about its pictures would compete with the first
matcher for the event loop. Looking many references up at once is cheaper, too. A handler that asks
for an image does not wait for any of this.
"""

import asyncio
from collections.abc import Callable, Container

from ..messages.reference import ImageReference

_PAUSE = 0.02
"""Seconds; most first matchers have answered by then, and no link dies."""


def free_key(reference: ImageReference, taken: Container[str]) -> str:
    """A key for a reference beside others that claim the same; empty where there is none.

    Args:
        reference: the reference.
        taken: the keys of others.
    """
    keys = (reference.key, reference.own_key, f"{reference.own_key} as {hash(reference)}")
    return next((key for key in keys if key not in taken), "")


class PrefetchQueue:
    """Hands references on, a moment after they were added.

    Args:
        start: starts to resolve one.
        max_held: bytes that the references in the queue may hold themselves.
        max_count: references in the queue.
    """

    def __init__(
        self, start: Callable[[ImageReference], None], *, max_held: int, max_count: int
    ) -> None:
        self._start = start
        self._max_held = max_held
        self._max_count = max_count
        self._held = 0
        self._waiting: dict[str, ImageReference] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._waiting

    def add(self, reference: ImageReference) -> None:
        """Have a reference resolved soon; it is left out where too much waits already.

        Of two that claim the same both are handed on: one may have the better link.
        """
        key = free_key(reference, self._waiting)
        if (
            not key
            or len(self._waiting) >= self._max_count
            or self._held + reference.held > self._max_held
        ):
            return
        if not self._waiting:
            asyncio.get_running_loop().call_later(_PAUSE, self._hand_on)
        self._waiting[key] = reference
        self._held += reference.held

    def hurry(self, key: str) -> None:
        """Hand the reference with this key on now, if it waits: somebody asks for the image."""
        reference = self._waiting.pop(key, None)
        if reference is not None:
            self._held -= reference.held
            self._start(reference)

    def _hand_on(self) -> None:
        waiting, self._waiting, self._held = self._waiting, {}, 0
        for reference in waiting.values():
            self._start(reference)
