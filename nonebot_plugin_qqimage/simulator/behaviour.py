"""How a simulated implementation treats calls, whatever they ask for; change it at any moment."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ScriptedAnswer = Mapping[str, Any] | Callable[[dict[str, Any]], Any | Awaitable[Any]]
"""An answer without its echo, or a function, async or not, that makes one from the parameters."""


@dataclass
class Behaviour:
    """What is wrong with the implementation at the moment; by default nothing."""

    delays: dict[str, float] = field(default_factory=dict[str, float])
    """Seconds before an action is answered."""
    hanging: set[str] = field(default_factory=set[str])
    """Actions which are never answered."""
    missing: set[str] = field(default_factory=set[str])
    """Actions which the implementation does not have."""
    dropping: set[str] = field(default_factory=set[str])
    """Actions in the middle of which the connection breaks."""
    serial: bool = False
    """Whether one call has to wait for the end of the one before."""


class ConnectionBreaks(Exception):
    """The connection breaks instead of an answer."""
