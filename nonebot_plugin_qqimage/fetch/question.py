"""What is asked of the implementation. The answer holds no bytes yet: later sources use it."""

from abc import ABC, abstractmethod

from ..errors import AttemptFailed, Cause
from ..implementation.answers import ImageAnswer
from ..implementation.implementation import Implementation
from ..messages.reference import ImageReference
from .source import Fetch


class Question(ABC):
    """One action that answers with an image, put only where its answer breaks nothing.

    Args:
        timeout: seconds to wait for the answer.
    """

    name = "question"

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    async def fetch(self, fetch: Fetch) -> None:
        """Keep the implementation's answer for the sources after this one.

        Raises:
            AttemptFailed: it refused, or asking it could break the bot's connection.
        """
        file = self._file(fetch.reference)
        if not file or fetch.implementation is None:
            return
        danger = await fetch.implementation.would_break(file, fetch.reference.size)
        if danger:
            raise AttemptFailed(Cause.SKIPPED, danger)
        try:
            fetch.answer = await self._ask(fetch.implementation, file, fetch)
        except AttemptFailed as failure:
            fetch.forgotten = failure.cause is Cause.NOT_FOUND
            raise

    @abstractmethod
    def _file(self, reference: ImageReference) -> str:
        """What to ask for; empty where the question does not apply."""

    @abstractmethod
    async def _ask(
        self, implementation: Implementation, file: str, fetch: Fetch
    ) -> ImageAnswer: ...
