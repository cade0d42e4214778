"""The log: every line of this plugin, made safe to show.

What strangers wrote, such as file names and answers, may be in any of them, and in the text of any
exception. So keys and tokens are masked in all of it, and what is not printable is escaped.
"""

import sys
import traceback
from collections.abc import Iterator

from nonebot.log import logger as nonebots

from .masking import mask_keys, one_line

_MAX_ERRORS = 16
"""Exceptions told of one failure; groups of them may hold many."""


class Log:
    """Writes to NoneBot's log."""

    def info(self, text: str) -> None:
        """Write down what has been done."""
        nonebots.opt(depth=1).info(one_line(text))

    def warning(self, text: str) -> None:
        """Write down what the operator may want to change."""
        nonebots.opt(depth=1).warning(one_line(text))

    def error(self, text: str) -> None:
        """Write down what does not work."""
        nonebots.opt(depth=1).error(one_line(text))

    def exception(self, text: str) -> None:
        """Write down that a mistake of ours was caught: call it where it is being handled.

        The traceback is made here, because what logs make of an exception shows its text as it is.
        """
        told = "".join(_told(sys.exc_info()[1]))
        nonebots.opt(depth=1).error(f"{one_line(text)}\n{told}".rstrip())


logger = Log()
"""What all of this plugin logs with."""


def _told(error: BaseException | None) -> Iterator[str]:
    """The exceptions that led to this one, the first cause first, each with its traceback."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting and len(found) < _MAX_ERRORS:
        one = waiting.pop()
        if one is None or one in found:
            continue
        found.append(one)
        waiting += [*getattr(one, "exceptions", ())]
        waiting.append(one.__cause__ or (None if one.__suppress_context__ else one.__context__))
    for one in reversed(found):
        if one.__traceback__ is not None:
            yield "Traceback (most recent call last):\n"
            yield from traceback.format_tb(one.__traceback__)
        yield f"{type(one).__name__}: {mask_keys(str(one))}\n"
