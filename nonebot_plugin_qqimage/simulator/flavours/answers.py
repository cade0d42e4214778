"""What goes between an implementation and a flavour: settings, calls, answers and refusals."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]
Action = Callable[[Json], Awaitable[Any]]
"""Takes the parameters of a call, gives the ``data`` of its answer or raises :class:`Refused`."""

Over = Literal["ws", "http"]
"""The transport a call came over."""


@dataclass(frozen=True)
class ImplementationSettings:
    """What the owner of an implementation sets up."""

    self_id: int = 10001
    nickname: str = "SimulatedBot"
    message_format: Literal["array", "string"] = "array"
    inline_base64: bool = False
    expand_forwards: bool = False
    """Whether an event holds the content of a forwarded record (NapCat's ``parseMultMsg``)."""
    token: str | None = None
    version: str | None = None
    """The version of the program; None is the one its flavour is best known for."""


@dataclass(frozen=True)
class Answer:
    """The answer to a call, without its echo."""

    body: Json
    http_status: int = 200


@dataclass(frozen=True)
class TokenRefusal:
    """What somebody with a wrong token gets."""

    http_status: int
    http_body: Json | None
    frame: Json | None = None
    """Sent over a WebSocket before it is closed."""
    close_code: int | None = None
    """What the WebSocket is closed with; without it and a frame the handshake itself fails."""
    close_reason: str = ""


class Refused(Exception):
    """An action fails; ``why`` decides the return code."""

    def __init__(
        self, message: str, why: Literal["failed", "bad request", "unknown"] = "failed"
    ) -> None:
        super().__init__(message)
        self.message = message
        self.why = why


def failed(retcode: int, text: str) -> Json:
    """Write an answer that says no, as LuckyLilliaBot and NapCat do."""
    return {
        "status": "failed",
        "retcode": retcode,
        "data": None,
        "message": text,
        "wording": text,
    }
