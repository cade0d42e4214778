"""Figures and names as people read them."""

import time
import unicodedata
from collections.abc import Callable, Iterable

from ..language import Text, say, with_commas

_UNITS = ("KiB", "MiB", "GiB", "TiB")


def size_of(count: float) -> str:
    """A number of bytes."""
    if count == 1:
        return Text("1 byte")
    if count < 1024:
        return Text("{count:.0f} bytes", count=count)
    for unit in _UNITS[:-1]:
        count /= 1024
        if count < 1024:
            return f"{count:.1f} {unit}"
    return f"{count / 1024:.1f} {_UNITS[-1]}"


def images_of(count: int) -> Text:
    """A number of images."""
    return Text("1 image") if count == 1 else Text("{count} images", count=count)


def files_of(count: int) -> Text:
    """A number of files."""
    return Text("1 file") if count == 1 else Text("{count} files", count=count)


def sightings_of(count: int) -> Text:
    """A number of sightings."""
    return Text("1 sighting") if count == 1 else Text("{count} sightings", count=count)


def counted(counts: Iterable[tuple[str, int]], words: Callable[[str], str]) -> str:
    """How often each of some things has happened, as one text; empty where nothing has.

    Args:
        counts: the name of each thing, and how often.
        words: gives what people read of a name.
    """
    return with_commas(
        Text("{count} {trouble}", count=count, trouble=words(what)) for what, count in counts
    )


def duration_of(seconds: float) -> Text:
    """A time span, in the largest unit of which it has two or more."""
    if seconds >= 7200:
        return Text("{count} h", count=int(seconds / 3600))
    if seconds >= 120:
        return Text("{count} min", count=int(seconds / 60))
    return Text("{count} s", count=max(0, int(seconds)))


def time_of(seconds: float) -> str:
    """Seconds since the epoch, as local time."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, OSError, ValueError):  # whatever an implementation has said
        return say("at no time")


def source_words(source: str) -> str:
    """What people read of a source by its name; one that has no other name is left as it is."""
    return Text(source).local if source else ""


def width_of(text: str) -> int:
    """The columns that a text takes on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
