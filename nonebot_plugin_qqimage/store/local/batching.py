"""Batching: all that is asked of the index at a time goes to a thread together.

The way to a thread and back takes longer than ten look-ups, a transaction longer than five puts,
and many may come at once.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from .access import Access
from .index import Index

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")


class Batching(Generic[_Question, _Answer]):
    """Asks the index in batches.

    Args:
        access: to the index.
        work: answers several questions, in their order.
        most: how many it takes at a time.
    """

    def __init__(
        self,
        access: Access,
        work: Callable[[Index, Sequence[_Question]], Sequence[_Answer]],
        most: int,
    ) -> None:
        self._access = access
        self._work = work
        self._most = most
        self._asked: list[tuple[_Question, asyncio.Future[_Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, question: _Question) -> _Answer:
        """The answer to one question.

        Raises:
            StoreError: the store cannot be used.
        """
        answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._asked.append((question, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._answer_all())
        return await answer

    async def _answer_all(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked[: self._most], self._asked[self._most :]
                await self._answer(asked)
        finally:
            self._task = None

    async def _answer(self, asked: list[tuple[_Question, asyncio.Future[_Answer]]]) -> None:
        questions = [question for question, _ in asked]
        try:
            found = await self._access.index(lambda index: self._work(index, questions))
        except Exception as error:  # noqa: BLE001  whatever it is, it is for those who asked
            if len(asked) > 1 and isinstance(error.__cause__, (OSError, UnicodeEncodeError)):
                # one of them may have a file that cannot be read, or text that cannot be stored
                for one in asked:
                    await self._answer([one])
                return
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
        else:
            for (_, answer), one in zip(asked, found, strict=True):
                if not answer.done():  # who asked may have gone
                    answer.set_result(one)
