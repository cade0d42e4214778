"""Names that look like those of our settings, and are none."""

import os
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import cast

from nonebot import get_driver
from nonebot.compat import model_dump

from ..config import ScopedConfig
from ..language import Text
from .forms import PREFIX

_OURS = {field.upper().replace("_", ""): field.upper() for field in vars(ScopedConfig())}
_WHOLE = {"QQIMAGE" + compact: field for compact, field in _OURS.items()}
_ALIKE = 0.7
_ALIKE_AS_A_WHOLE = 0.85
"""How alike a name must be that does not start like ours: others have names, too."""
_NO_LETTER = re.compile("[^A-Z0-9]")


def misspelt() -> list[Text]:
    """What to say of each name that is set, and probably meant one of our settings.

    They are not refused, because other programs may have set variables of such names.
    """
    return [text for name in sorted(set(_names())) if (text := about(name)) is not None]


def about(name: str) -> Text | None:
    """What to say of a name in upper case; None where it is right, or somebody else's."""
    start, _, rest = name.partition("__")
    if start == "QQIMAGE" and rest.partition("__")[0] in _OURS.values():
        return None
    compact = _NO_LETTER.sub("", name)
    if compact == "QQIMAGE":  # all settings together, as a JSON object
        return None
    meant = None
    if compact.startswith("QQIMAGE"):
        meant = _closest(compact.removeprefix("QQIMAGE"), _OURS, _ALIKE)
    elif compact.startswith("QQ") and (
        found := get_close_matches(compact, _WHOLE, 1, _ALIKE_AS_A_WHOLE)
    ):
        meant = _WHOLE[found[0]]
    if meant is not None:
        return Text(
            "{name} is no setting of nonebot-plugin-qqimage: did you mean {meant}?",
            name=name,
            meant=PREFIX + meant,
        )
    if name.startswith(PREFIX):
        return Text("{name} is no setting of nonebot-plugin-qqimage", name=name)
    return None


def _closest(compact: str, known: Iterable[str], alike: float) -> str | None:
    found = get_close_matches(compact, known, 1, alike)
    return _OURS[found[0]] if found else None


def _names() -> Iterator[str]:
    """Every name that is set in the environment, in ``.env`` or in the code that starts the bot."""
    yield from (name.upper() for name in os.environ)
    try:
        given = model_dump(get_driver().config)
    except ValueError:  # NoneBot could not begin
        return
    for name, value in given.items():
        yield name.upper()
        if name.lower() == "qqimage" and isinstance(value, dict):
            yield from (f"{PREFIX}{field}".upper() for field in cast(dict[str, object], value))
