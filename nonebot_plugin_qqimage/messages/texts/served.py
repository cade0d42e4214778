"""Text with URLs of this bot in it, which remembers what stood in its place before.

Messages hold such text for plugins that know nothing of this one, and nothing beside it: whoever
compares, hashes or saves the rest of a segment sees what the implementation sent. What it remembers
is lost where a plugin writes it as JSON or CQ codes; the token in the URL is enough then.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any, cast

from nonebot.adapters.onebot.v11 import Message, MessageSegment
from typing_extensions import Self

_MAX_DEPTH = 100
"""Levels of lists and mappings that are looked into; a record inside another one needs three more.
"""
_MAX_VALUES = 100_000
"""Values that are looked into, in about 0.1 s; the longest record has some thousand."""


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


def let_yaml_write_it() -> None:
    """Have the YAML libraries write such text as any other; they look at the exact type of a value.

    Plugins save segments as YAML, too. Call it once all of them are loaded, for their own dumpers.
    """
    for library in ("yaml", "ruamel.yaml"):
        with suppress(ImportError):
            dumpers = [import_module(f"{library}.representer").SafeRepresenter]
            for dumper in dumpers:
                dumpers += dumper.__subclasses__()
                dumper.add_representer(ServedText, dumper.represent_str)


def received(value: object) -> Any:
    """A value as it was received, without the text of this bot put in since, however deep.

    It is the value itself where nothing was put in.
    """
    return with_texts(value, _received)


def _received(text: str) -> object:
    if not isinstance(text, ServedText):
        return text
    return ABSENT if text.added else text.original


def with_texts(value: object, change: Callable[[str], object], *, encoded: bool = False) -> Any:
    """A value in which every text has been changed, however deep; the value itself if none has.

    Nothing is changed in place. What is too deep or comes too late to be looked at stays as it is.

    Args:
        value: of lists, mappings, messages and segments.
        change: gives what stands in a text's place from now on: the text itself, another value, or
            `ABSENT` for a field, which is None in a list.
        encoded: whether the value is about to be written as JSON by the adapter. Then dataclasses,
            which become mappings there, are looked into, too, and so are the keys of mappings.
    """
    return _Walk(change, encoded).through(value, 0)


class _Walk:
    def __init__(self, change: Callable[[str], object], encoded: bool) -> None:
        self._change = change
        self._encoded = encoded
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
            old = cast(Mapping[Any, object], value)
            new = [(self._name(name), self.through(each, depth + 1)) for name, each in old.items()]
            if all(
                name is old_name and each is old_each
                for (name, each), (old_name, old_each) in zip(new, old.items(), strict=True)
            ):
                return cast(object, value)
            return {name: each for name, each in new if each is not ABSENT}
        if isinstance(value, (list, tuple)):
            items = cast("list[object] | tuple[object, ...]", value)
            walked = [self.through(each, depth + 1) for each in items]
            changed_items: list[Any] = [None if each is ABSENT else each for each in walked]
            if all(new is old for new, old in zip(changed_items, items, strict=True)):
                return cast(object, value)
            if isinstance(value, Message):
                return Message(changed_items)
            return tuple(changed_items) if isinstance(value, tuple) else changed_items
        if self._encoded and is_dataclass(value) and not isinstance(value, type):
            named = {each.name: cast(object, getattr(value, each.name)) for each in fields(value)}
            changed = self.through(named, depth + 1)
            return cast(object, value) if changed is named else changed
        return value

    def _name(self, name: object) -> object:
        """What a mapping calls a value; in segments as they were received that is no URL."""
        changed = self._change(name) if self._encoded and isinstance(name, str) else name
        return changed if isinstance(changed, str) else name
