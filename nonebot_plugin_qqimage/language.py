"""The language of what people read: every text is written in English, and may be read in Chinese.

`Text` is for what is kept and shown later, or shown to people and programs alike: it is the English
text, which JSON gets, and `localized` gives what people read. `say` is for what is shown at once,
such as a line of the log. Both take a template and its values: ``say("{count} images", count=3)``.
Translations are in ``locale/``, made from these two names; `tests/test_language.py` compares them.
"""

import gettext
import locale
import os
import re
from collections.abc import Callable, Iterable
from functools import cache, reduce
from pathlib import Path
from typing import Literal

Language = Literal["auto", "zh", "en"]
"""What the setting ``QQIMAGE__LANGUAGE`` takes."""

_DOMAIN = "nonebot_plugin_qqimage"
_FOLDER = Path(__file__).parent / "locale"
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Which POSIX looks at for messages, the strongest first."""


class Text(str):
    """A text in English that can also be read in the language of the operator.

    Args:
        template: the English text, in the form of `str.format`.
        **values: what its fields stand for. A `Text` among them is read in the same language.
    """

    __slots__ = ("_template", "_values")
    _template: str
    _values: dict[str, object]

    def __new__(  # noqa: PYI034  Self came with Python 3.11
        cls, template: str, /, **values: object
    ) -> "Text":
        """Make a text."""
        text = super().__new__(cls, template.format(**values) if values else template)
        text._template, text._values = template, values
        return text

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        """What a copy is made from."""
        return (self._template,), self._values

    @property
    def local(self) -> str:
        """The text in the language that `use` has chosen."""
        template = _translate()(self._template)
        values = {
            name: value.local if isinstance(value, Text) else value
            for name, value in self._values.items()
        }
        return template.format(**values) if values else template

    @property
    def outline(self) -> str:
        """The text in that language with a sign of omission for each value, to count its kind."""

        def outline(field: re.Match[str]) -> str:
            value = self._values.get(field[1])
            return value.outline if isinstance(value, Text) else "…"

        return re.sub(r"\{(\w+)[^}]*\}", outline, _translate()(self._template))

    def with_values(self, change: Callable[[str], str]) -> "Text":
        """The text with each value that is no number changed, as by masking the keys in it."""

        def changed(value: object) -> object:
            if isinstance(value, Text):
                return value.with_values(change)
            return value if isinstance(value, (int, float)) else change(str(value))

        values = {name: changed(value) for name, value in self._values.items()}
        return Text(self._template, **values)


def say(template: str, /, **values: object) -> str:
    """A text in the language of the operator, to be shown at once.

    Args:
        template: the English text, in the form of `str.format`.
        **values: what its fields stand for.
    """
    return Text(template, **values).local


def localized(text: str) -> str:
    """What people read of a text; one that is no `Text` is the same in every language."""
    return text.local if isinstance(text, Text) else text


def with_commas(texts: Iterable[str]) -> str:
    """Several texts as one, for a list within a sentence; empty where there are none."""
    return _joined(texts, lambda one, other: Text("{one}, {other}", one=one, other=other))


def with_semicolons(texts: Iterable[str]) -> str:
    """Several texts as one, where they are longer; empty where there are none."""
    return _joined(texts, lambda one, other: Text("{one}; {other}", one=one, other=other))


def _joined(texts: Iterable[str], join: Callable[[str, str], Text]) -> str:
    first, *others = [*texts] or [""]
    return reduce(join, others, first)


def use(language: Language) -> None:
    """Choose the language, for this process. It may read a file: call it before the bot runs.

    Args:
        language: ``auto`` for that of the process's locale, where there is a translation.
    """
    global _chosen
    _chosen = _of_the_process() if language == "auto" else language
    if _chosen == "zh":
        _chinese()


def chosen() -> Language:
    """The language that `use` has chosen."""
    return _chosen


def _of_the_process() -> Language:
    named = next((value for name in _VARIABLES if (value := os.environ.get(name))), None)
    if named is None:  # Windows sets none of them, and has names such as Chinese (Simplified)_China
        named = locale.getlocale()[0] or ""
    return "zh" if named.lower().startswith(("zh", "chinese")) else "en"


@cache
def _chinese() -> gettext.NullTranslations:
    return gettext.translation(_DOMAIN, _FOLDER, ["zh"], fallback=True)


def _translate() -> Callable[[str], str]:
    return _chinese().gettext if _chosen == "zh" else str


_chosen: Language = "en"
