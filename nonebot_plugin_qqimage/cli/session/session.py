"""What every command works with, and how a command ends."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...config import ScopedConfig
from ...store.image_store import ImageStore
from ..terminal.terminal import Terminal

OK = 0
TROUBLE = 1
"""It was done, and something is wrong or missing."""
USAGE = 2
"""The command line, or a setting, cannot be used."""
UNUSABLE = 3
"""There is no store, or it cannot be used."""
INTERRUPTED = 130
BROKEN_PIPE = 141
"""Whoever read the output has gone; as of programs that a signal ends."""


class Complaint(Exception):
    """A command cannot go on.

    Args:
        text: why, in words.
        status: the exit status.
    """

    def __init__(self, text: str, status: int = TROUBLE) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Session:
    """One run of the command line."""

    store: ImageStore
    """The store; nothing has looked at it yet."""
    config: ScopedConfig
    """The settings."""
    there: bool
    """Whether there is a store already."""
    terminal: Terminal
    """Where progress is shown."""
    bounded: bool
    """Whether the settings' bounds are this store's; not if it was named by ``--folder``."""


@dataclass(frozen=True)
class Result:
    """What came of a command."""

    document: dict[str, Any]
    """For ``--json``."""
    show: Callable[[Terminal], None] = field(repr=False)
    """Shows the same to people."""
    status: int = OK
    """The exit status."""
