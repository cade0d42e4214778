"""`Line`: one answer of the doctor."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, cast

from ..language import Text

State = Literal["ok", "warning", "failed"]
_GRAVITY: dict[State, int] = {"ok": 0, "warning": 1, "failed": 2}


@dataclass(frozen=True)
class Line:
    """What the doctor says of one thing."""

    state: State
    """How it is."""
    about: str
    """The thing, in a word or two: English, and a `Text` where people may read it otherwise."""
    text: str
    """What was found, without any key in it: likewise."""
    cure: str = ""
    """What to do about it, likewise; empty where nothing needs to be done."""

    def packed(self) -> list[object]:
        """The line for JSON, with what it takes to read it in another language again."""
        return [self.state, *(_packed(text) for text in (self.about, self.text, self.cure))]

    @classmethod
    def unpacked(cls, kept: list[Any]) -> "Line":
        """The line that was packed so."""
        state, *texts = kept
        return cls(state, *map(_unpacked, texts))

    def __str__(self) -> str:
        return f"{self.state}: {self.about}: {self.text}" + (f" → {self.cure}" if self.cure else "")


def _packed(text: object) -> object:
    if isinstance(text, Text):
        (template,), values = text.__getnewargs_ex__()
        return [template, {name: _packed(value) for name, value in values.items()}]
    return text if isinstance(text, (str, int, float)) else str(text)


def _unpacked(kept: Any) -> Any:
    if not isinstance(kept, list):
        return kept
    template, values = cast(list[Any], kept)
    return Text(template, **{name: _unpacked(value) for name, value in values.items()})


def worst(lines: Iterable[Line]) -> State:
    """How it is on the whole."""
    states: list[State] = ["ok", *(line.state for line in lines)]
    return max(states, key=lambda state: _GRAVITY[state])
