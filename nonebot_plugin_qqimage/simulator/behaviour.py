"""How a simulated implementation treats calls, whatever they ask for; change it at any moment."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

ScriptedAnswer = Mapping[str, Any] | Callable[[dict[str, Any]], Any | Awaitable[Any]]
"""An answer without its echo, or a function, async or not, that makes one from the parameters."""


class MessageFault(Enum):
    """What is wrong with the answers of ``get_msg``."""

    REFUSED = "it says that there is no such message"
    NO_ID = "it leaves out the id of the message"
    NUMERIC_LEVEL = "the level of the sender is a number, where adapters expect text"
    NO_CONTENT = "the message has no segments"
    SILENT = "it never answers"


@dataclass
class Behaviour:
    """What is wrong with the implementation at the moment; by default nothing."""

    delays: dict[str, float] = field(default_factory=dict[str, float])
    """Seconds before an action is answered."""
    hanging: set[str] = field(default_factory=set[str])
    """Actions which are never answered."""
    hanging_files: set[str] = field(default_factory=set[str])
    """Values of ``file`` or ``file_id`` for which no action is ever answered."""
    message_fault: MessageFault | None = None
    """What is wrong with every answer of ``get_msg``."""
    missing: set[str] = field(default_factory=set[str])
    """Actions which the implementation does not have."""
    dropping: set[str] = field(default_factory=set[str])
    """Actions in the middle of which the connection breaks."""
    serial: bool = False
    """Whether one call has to wait for the end of the one before."""


class ConnectionBreaks(Exception):
    """The connection breaks instead of an answer."""


def spoil_message(data: dict[str, Any], fault: MessageFault | None) -> dict[str, Any]:
    """Give what a fault makes of the ``data`` of ``get_msg``."""
    if fault is MessageFault.NO_ID:
        left_out = ("message_id", "real_id", "message_seq", "real_seq", "message_id_v2")
        return {name: value for name, value in data.items() if name not in left_out}
    if fault is MessageFault.NUMERIC_LEVEL:
        return {**data, "sender": {**data["sender"], "level": 1}}
    if fault is MessageFault.NO_CONTENT:
        return {**data, "message": [], "raw_message": ""}
    return data
