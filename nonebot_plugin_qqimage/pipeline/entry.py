"""`Entry`: a reference that waits to be resolved in the background, and the key it waits under."""

from collections.abc import Container
from dataclasses import dataclass

from ..messages.reference import ImageReference
from .fairness.budget import Reservation


@dataclass(eq=False)
class Entry:
    """A reference that waits."""

    reference: ImageReference
    """The image."""
    shares: tuple[str, ...]
    """Its bot and its chat."""
    since: float
    """Since when, by the event loop's clock."""
    delayed: bool = False
    """Whether it had to wait longer than the pause."""
    under_way: bool = False
    """Whether it is looked up, or waits for memory."""
    turn: Reservation | None = None
    """The memory that it waits for."""

    @property
    def chat(self) -> str:
        """What it has its turns by."""
        return self.shares[-1] if self.shares else ""


def free_key(reference: ImageReference, taken: Container[str]) -> str:
    """A key for a reference beside others that claim the same; empty where there is none.

    Args:
        reference: the reference.
        taken: the keys of others.
    """
    if reference.key not in taken:  # the others take longer to make
        return reference.key
    keys = (reference.own_key, f"{reference.own_key} as {hash(reference)}")
    return next((key for key in keys if key not in taken), "")
