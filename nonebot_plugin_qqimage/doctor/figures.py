"""Figures and names as people read them."""

import time

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def size_of(count: float) -> str:
    """A number of bytes."""
    for unit in _UNITS[:-1]:
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} {_UNITS[-1]}"


def time_of(seconds: float) -> str:
    """Seconds since the epoch, as local time."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, OSError, ValueError):  # whatever an implementation has said
        return "at no time"


def printable(text: str) -> str:
    """The text without anything that a terminal would obey: names come from strangers."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )
