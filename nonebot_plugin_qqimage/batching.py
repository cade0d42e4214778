"""Batching: all that is asked at a time goes to a thread together.

The way to a thread and back takes longer than ten look-ups, a transaction longer than five puts,
and many may come at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")


class Batching(Generic[_Question, _Answer]):
    """Collects questions, and has them answered in batches.

    Args:
        answer: answers several questions, in their order.
        most: how many it takes at a time.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[_Question]], Awaitable[Sequence[_Answer]]],
        most: int,
    ) -> None:
        self._answer = answer
        self._most = most
        self._asked: list[tuple[_Question, asyncio.Future[_Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, question: _Question) -> _Answer:
        """The answer to one question.

        Raises:
            Exception: whatever came of asking.
        """
        answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._asked.append((question, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked[: self._most], self._asked[self._most :]
                await self._answer_all(asked)
        finally:
            self._task = None

    async def _answer_all(self, asked: list[tuple[_Question, asyncio.Future[_Answer]]]) -> None:
        try:
            answers = await self._answer([question for question, _ in asked])
        except Exception as error:  # noqa: BLE001  whatever it is, it is for those who asked
            if len(asked) > 1 and isinstance(error.__cause__, (OSError, UnicodeEncodeError)):
                # one of them may have a file that cannot be read, or text that cannot be stored
                for one in asked:
                    await self._answer_all([one])
                return
            for _, waiting in asked:
                if not waiting.done():
                    waiting.set_exception(error)
        else:
            for (_, waiting), answer in zip(asked, answers, strict=True):
                if not waiting.done():  # who asked may have been cancelled
                    waiting.set_result(answer)
