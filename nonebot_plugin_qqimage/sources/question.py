"""What is asked of the peer. Its answer holds no bytes yet: the sources after it use it."""

from abc import ABC, abstractmethod

from ..errors import AttemptFailed, Cause
from ..peer import ImageAnswer, Peer
from ..reference import ImageReference
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
        """Keep the peer's answer for the sources after this one.

        Raises:
            AttemptFailed: it refused, or asking it could break the bot's connection.
        """
        file = self._file(fetch.reference)
        if not file or fetch.peer is None:
            return
        danger = await fetch.peer.would_break(file, fetch.reference.size)
        if danger:
            raise AttemptFailed(Cause.SKIPPED, danger)
        try:
            fetch.answer = await self._ask(fetch.peer, file, fetch)
        except AttemptFailed as failure:
            fetch.forgotten = failure.cause is Cause.NOT_FOUND
            raise

    @abstractmethod
    def _file(self, reference: ImageReference) -> str:
        """What to ask for; empty where the question does not apply."""

    @abstractmethod
    async def _ask(self, peer: Peer, file: str, fetch: Fetch) -> ImageAnswer: ...
