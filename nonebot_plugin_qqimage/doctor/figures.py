"""Figures and names as people read them."""

import time
import unicodedata

from ..language import Text, say

_UNITS = ("KiB", "MiB", "GiB", "TiB")


def size_of(count: float) -> str:
    """A number of bytes."""
    if count < 1024:
        return Text("{count:.0f} bytes", count=count)
    for unit in _UNITS[:-1]:
        count /= 1024
        if count < 1024:
            return f"{count:.1f} {unit}"
    return f"{count / 1024:.1f} {_UNITS[-1]}"


def time_of(seconds: float) -> str:
    """Seconds since the epoch, as local time."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, OSError, ValueError):  # whatever an implementation has said
        return say("at no time")


def width_of(text: str) -> int:
    """The columns that a text takes on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
