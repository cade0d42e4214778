"""References that are to be resolved in the background, a moment later and together.

Whoever answers a message goes first: what is done about its pictures would compete with the first
matcher for the event loop. Looking many references up at once is cheaper, too. A handler that asks
for an image does not wait for any of this.

Where more come than there is room for, they wait here: chats have their turns one by one, and
within a chat whoever came first, for as long as a link may live.
"""

import asyncio
from collections.abc import Callable, Container
from dataclasses import dataclass

from ..messages.reference import ImageReference
from .congestion import Congestion
from .turns import Turns

_PAUSE = 0.02
"""Seconds; most first matchers have answered by then, and no link dies."""
_LIFE = 3600.0
"""Seconds for which a link may live, by its key."""
_AT_ONCE = 16
"""Started in one go of the event loop."""
_MAX_WAITING = 20_000
"""References that wait for room: some 30 MB of memory."""
Room = Callable[[ImageReference, tuple[str, ...], int], str]
"""Why a reference of a bot and chat cannot be resolved now, with so many ahead of it; empty where
it can."""


@dataclass
class _Entry:
    """A reference that waits."""

    reference: ImageReference
    shares: tuple[str, ...]
    """Its bot and its chat."""
    since: float
    delayed: bool = False
    """Whether it had to wait longer than the pause."""

    @property
    def chat(self) -> str:
        return self.shares[-1] if self.shares else ""


def free_key(reference: ImageReference, taken: Container[str]) -> str:
    """A key for a reference beside others that claim the same; empty where there is none.

    Args:
        reference: the reference.
        taken: the keys of others.
    """
    keys = (reference.key, reference.own_key, f"{reference.own_key} as {hash(reference)}")
    return next((key for key in keys if key not in taken), "")


class PrefetchQueue:
    """Hands references on, a moment after they were added, or once there is room.

    Args:
        start: starts to resolve one.
        room: says whether that is possible.
        congestion: told of those that have to wait, or are left out.
        max_held: bytes that the references in the queue may hold themselves.
        spare: places that those which have waited leave free for others.
    """

    def __init__(
        self,
        start: Callable[[ImageReference], None],
        room: Room,
        congestion: Congestion,
        *,
        max_held: int,
        spare: int,
    ) -> None:
        self._start = start
        self._room = room
        self._congestion = congestion
        self._max_held = max_held
        self._spare = spare
        self._held = 0
        self._soon = 0  # of those that wait, how many do so for the pause alone
        self._entries: dict[str, _Entry] = {}
        self._turns: Turns[str] = Turns()
        self._started: dict[str, _Entry] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def __len__(self) -> int:
        """How many references wait to be resolved."""
        return len(self._entries)

    def __contains__(self, key: str) -> bool:
        """Whether a reference is about to be resolved."""
        entry = self._entries.get(key)
        return entry is not None and not entry.delayed

    def add(self, reference: ImageReference, shares: tuple[str, ...]) -> None:
        """Have a reference resolved soon.

        Of two that claim the same both are handed on: one may have the better link.

        Args:
            reference: the image.
            shares: its bot and its chat.
        """
        key = free_key(reference, self._entries)
        if key:
            now = asyncio.get_running_loop().time()
            self._wait(key, _Entry(reference, shares, now))

    def hurry(self, key: str) -> None:
        """Hand the reference with this key on now, if it waits: somebody asks for the image."""
        entry = self._take(key)
        if entry is not None and not self._room(entry.reference, (), 0):
            self._begin(key, entry)

    def ended(self, key: str, *, busy: bool) -> None:
        """The reference with this key has been resolved, or has failed.

        Args:
            key: of the reference.
            busy: whether there was no room for it, so that it should be tried again.
        """
        entry = self._started.pop(key, None)
        if entry is not None and busy and key not in self._entries:
            if not entry.delayed:
                self._congestion.delayed("turn")
            entry.delayed = True
            self._wait(key, entry)
        if self._entries:
            self._hand_on_after(0)

    def close(self) -> None:
        """Hand nothing on any more."""
        if self._timer is not None:
            self._timer.cancel()
        for key in [*self._entries]:
            self._take(key)

    def _wait(self, key: str, entry: _Entry) -> None:
        if entry.reference.held + self._held > self._max_held:
            return self._congestion.left_out("memory")
        if len(self._entries) >= _MAX_WAITING:
            self._congestion.left_out("queue")
            most = self._turns.last_of_most()
            if most is None or self._turns.waiting(most[0]) <= self._turns.waiting(entry.chat):
                return None
            self._take(most[1])
        self._entries[key] = entry
        self._held += entry.reference.held
        self._turns.add(entry.chat, key)
        if not entry.delayed:
            self._soon += 1
            # memory may be free after the pause, but that many flights do not end in it
            if self._room(entry.reference, entry.shares, self._soon - 1) == "flights":
                self._delay(entry, "flights")
        return self._hand_on_after(_PAUSE)

    def _delay(self, entry: _Entry, why: str) -> None:
        if not entry.delayed:
            self._soon -= 1
            entry.delayed = True
            self._congestion.delayed(why)

    def _take(self, key: str, *, in_turn: bool = False) -> _Entry | None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._held -= entry.reference.held
            self._soon -= not entry.delayed
            if in_turn:
                self._turns.serve(entry.chat)
            else:
                self._turns.remove(entry.chat, key)
        return entry

    def _kept_free(self, entry: _Entry) -> int:
        """Places that are not for those that have waited: what is asked for now needs some."""
        return self._spare if entry.delayed else 0

    def _begin(self, key: str, entry: _Entry) -> None:
        self._started[key] = entry
        self._start(entry.reference)

    def _hand_on_after(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        if self._timer is not None:
            if self._due <= due:  # not the timer's own, for uvloop's may have none
                return
            self._timer.cancel()
        self._due, self._timer = due, loop.call_at(due, self._hand_on)

    def _hand_on(self) -> None:
        self._timer = None
        too_old = asyncio.get_running_loop().time() - _LIFE
        begun, more = 0, True
        while more and begun < _AT_ONCE:
            more = False
            for _, key in self._turns.next_ones():
                entry = self._entries[key]
                if entry.since < too_old:
                    self._take(key)
                    self._congestion.left_out("links")
                elif why := self._room(entry.reference, entry.shares, self._kept_free(entry)):
                    self._delay(entry, why)
                    continue
                else:
                    self._take(key, in_turn=True)
                    self._begin(key, entry)
                    begun += 1
                more = True
        if begun >= _AT_ONCE and self._entries:
            self._hand_on_after(0)
