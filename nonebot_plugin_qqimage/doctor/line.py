"""`Line`: one answer of the doctor."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

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

    def __str__(self) -> str:
        return f"{self.state}: {self.about}: {self.text}" + (f" → {self.cure}" if self.cure else "")


def worst(lines: Iterable[Line]) -> State:
    """How it is on the whole."""
    states: list[State] = ["ok", *(line.state for line in lines)]
    return max(states, key=lambda state: _GRAVITY[state])
