"""The circuit breaker: where the shared store is away, nobody waits for it a second time."""

import time

from ...errors import StoreError
from ...language import Text, say
from ...log import logger

_QUIET = 60.0
"""Seconds until trouble is told again, where the shared store comes and goes."""


class Unreachable(StoreError):
    """The shared store cannot be reached, or does not answer in time."""


class Refused(StoreError):
    """The shared store has answered that it will not do what it was asked."""


def left_out(error: Refused, kind: str) -> None:
    """Log that one thing is not sent, because the shared store refuses it.

    Args:
        error: why.
        kind: what it is, such as an image.
    """
    logger.warning(
        say(
            "qqimage: the shared store: {error}; one {kind} is left out",
            error=str(error),
            kind=kind,
        )
    )


class Breaker:
    """Knows whether the shared store answers, and tells the operator once when that changes."""

    def __init__(self) -> None:
        self._trouble: StoreError | None = Unreachable(Text("it has not been reached yet"))
        self._told = False
        self._told_at = -_QUIET

    @property
    def closed(self) -> bool:
        """Whether the shared store may be asked."""
        return self._trouble is None

    @property
    def trouble(self) -> StoreError | None:
        """Why it may not be asked; None where it may."""
        return self._trouble

    def failed(self, error: StoreError) -> None:
        """It has not answered, so nobody asks until it does."""
        self._trouble = error
        if not self._told and self._may_tell():
            self._told = True
            logger.warning(
                say(
                    "qqimage: the shared store: {error}; the bot goes on with the local store "
                    "alone, and what comes meanwhile is sent later",
                    error=str(error),
                )
            )

    def refused(self, error: Refused) -> None:
        """It has refused one thing, and may be asked for others."""
        if self._may_tell():
            logger.warning(say("qqimage: the shared store: {error}", error=str(error)))

    def answered(self) -> None:
        """It answers."""
        self._trouble = None
        if self._told:
            self._told = False
            logger.info(say("qqimage: the shared store answers again"))

    def end(self) -> None:
        """Nobody may ask it any more, for the bot ends."""
        self._trouble = Unreachable(Text("the bot ends"))

    def _may_tell(self) -> bool:
        now = time.monotonic()
        if now - self._told_at < _QUIET:
            return False
        self._told_at = now
        return True
