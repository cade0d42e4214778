"""The templates of the page: HTML in which everything that others wrote is text."""

import time
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from ...attempts import words_of
from ...doctor.figures import images_of, sightings_of, size_of, source_words, time_of
from ...language import chosen, localized, say
from ...masking import one_line

_FOLDER = Path(__file__).parents[1] / "templates"


def render(name: str, **values: Any) -> str:
    """A page. Blocks.

    Args:
        name: of the template.
        **values: what it shows.
    """
    return _environment().get_template(name).render(values, language=chosen())


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment: Any = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,  # names and chats are text from strangers
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(say=say, now=time.time)
    environment.filters.update(
        cause=_local(words_of),
        images=_local(images_of),
        line=one_line,
        local=localized,
        minute=_minute,
        sightings=_local(sightings_of),
        size=_local(size_of),
        source=source_words,
        time=time_of,
    )
    return environment


def _local(words: Callable[[Any], str]) -> Callable[[Any], str]:
    """What puts a value into words of the operator's language."""
    return lambda value: localized(words(value))


def _minute(seconds: float) -> str:
    """Seconds since the epoch as local time, as short as it can be understood."""
    try:
        when = datetime.fromtimestamp(seconds)
        this_year = when.year == datetime.now().year
        return when.strftime("%m-%d %H:%M" if this_year else "%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):  # whatever an implementation has said
        return time_of(seconds)
