"""Text with URLs of this bot in it, which remembers what stood in its place before.

Messages hold such text for plugins that know nothing of this one, and nothing beside it: whoever
compares, hashes or saves the rest of a segment sees what the implementation sent. What it remembers
is lost where a plugin writes it as JSON or CQ codes; the token in the URL is enough then.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from nonebot.adapters.onebot.v11 import Message, MessageSegment
from typing_extensions import Self

_MAX_DEPTH = 16
"""Levels of lists and mappings that are looked into; records inside records need about ten."""
_MAX_VALUES = 20_000
"""Values that are looked at; the longest record has some thousand."""


class ServedText(str):
    """A text with URLs of this bot, to be used as any other text.

    Args:
        text: the text.
        original: what the implementation sent in its place; None where that was null, or nothing.
        added: whether there was nothing.
    """

    original: str | None
    """What the implementation sent in its place; None where that was null, or nothing."""
    added: bool
    """Whether there was nothing, so that a message as it was received has no such field."""

    def __new__(cls, text: str, original: str | None = None, added: bool = False) -> Self:
        """Make one; see the class for the arguments."""
        self = super().__new__(cls, text)
        self.original, self.added = original, added
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        """What makes it anew, for pickling."""
        return str(self), self.original, self.added

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self  # it cannot be changed


ABSENT = object()
"""Stands for a field that is to be left out."""


def received(value: object) -> Any:
    """A value as it was received, without the text of this bot put in since, however deep.

    It is the value itself where nothing was put in.
    """
    return with_texts(value, _received)


def _received(text: str) -> object:
    if not isinstance(text, ServedText):
        return text
    return ABSENT if text.added else text.original


def with_texts(value: object, change: Callable[[str], object]) -> Any:
    """A value in which every text has been changed, however deep; the value itself if none has.

    Nothing is changed in place. What is too deep or comes too late to be looked at stays as it is.

    Args:
        value: of lists, mappings, messages and segments.
        change: gives what stands in a text's place from now on: the text itself, another value, or
            `ABSENT` for a field.
    """
    return _Walk(change).through(value, 0)


class _Walk:
    def __init__(self, change: Callable[[str], object]) -> None:
        self._change = change
        self._left = _MAX_VALUES

    def through(self, value: object, depth: int) -> Any:
        self._left -= 1
        if isinstance(value, str):
            return self._change(value)
        if depth > _MAX_DEPTH or self._left < 0:
            return value
        if isinstance(value, MessageSegment):
            data = cast(object, value.data)
            changed = self.through(data, depth + 1)
            return value if changed is data else type(value)(value.type, changed)
        if isinstance(value, Mapping):
            fields = cast(Mapping[Any, object], value)
            new = {name: self.through(each, depth + 1) for name, each in fields.items()}
            if all(new[name] is each for name, each in fields.items()):
                return cast(object, value)
            return {name: each for name, each in new.items() if each is not ABSENT}
        if isinstance(value, (list, tuple)):
            items = cast("list[object] | tuple[object, ...]", value)
            changed_items = [self.through(each, depth + 1) for each in items]
            if all(new is old for new, old in zip(changed_items, items, strict=True)):
                return cast(object, value)
            if isinstance(value, Message):
                return Message(changed_items)
            return tuple(changed_items) if isinstance(value, tuple) else changed_items
        return value
