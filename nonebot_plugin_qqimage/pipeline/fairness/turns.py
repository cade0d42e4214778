"""Turns: who is next where many wait, one chat after the other, the oldest of each first."""

from collections import deque
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Turns(Generic[_T]):
    """A queue for each chat."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[_T]] = {}
        """The chat whose turn is next stands first."""

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def add(self, chat: str, who: _T) -> None:
        """Let one wait, behind the others of its chat."""
        self._queues.setdefault(chat, deque()).append(who)

    def waiting(self, chat: str) -> int:
        """How many of a chat wait."""
        return len(self._queues.get(chat, ()))

    def last_of_most(self) -> tuple[str, _T] | None:
        """The chat that most wait of, and the last of them; None where nobody waits."""
        chat = max(self._queues, key=lambda chat: len(self._queues[chat]), default=None)
        return None if chat is None else (chat, self._queues[chat][-1])

    def remove(self, chat: str, who: _T) -> bool:
        """Let one wait no longer; whether it did."""
        queue = self._queues.get(chat)
        if queue is None or who not in queue:
            return False
        queue.remove(who)
        if not queue:
            del self._queues[chat]
        return True

    def next_ones(self) -> list[tuple[str, _T]]:
        """Each chat and the first one of it, in the order of their turns."""
        return [(chat, queue[0]) for chat, queue in self._queues.items()]

    def serve(self, chat: str) -> _T:
        """Take the first one of a chat out; the other chats have their turns before its next."""
        queue = self._queues.pop(chat)
        who = queue.popleft()
        if queue:
            self._queues[chat] = queue
        return who
