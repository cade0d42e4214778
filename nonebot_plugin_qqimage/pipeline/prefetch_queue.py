"""References that are to be resolved in the background, a moment later and together.

Whoever answers a message goes first: what is done about its pictures would compete with the first
matcher for the event loop. Looking many references up at once is cheaper, too. Those that are not
stored wait here for the memory to be fetched within, and have no task until then. A handler that
asks for an image does not wait for any of this.

Where more come than there is room for, they wait here: chats have their turns one by one, and
within a chat whoever came first, for as long as a link may live.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from ..messages.reference import ImageReference
from ..threads import on_event_loop
from .entry import Entry, free_key
from .fairness.budget import Reservation
from .fairness.congestion import Congestion
from .fairness.shares import shares_of
from .fairness.traffic import Traffic
from .fairness.turns import Turns
from .pause import Pause

_LIFE = 3600.0
"""Seconds for which a link may live, by its key."""
_AT_ONCE = 128
"""Looked up together, and started in one go of the event loop."""
_MAX_NEW = 64
"""Sorted in together, in about a millisecond."""
_MAX_WAITING = 20_000
"""References that wait: some 30 MB of memory."""
LookUp = Callable[[Sequence[ImageReference]], Awaitable[Sequence[bool] | None]]
"""Takes note of those images that are stored, and says of each whether it is, if it can."""
Start = Callable[[ImageReference, Reservation | None, bool], None]
"""Starts to resolve a reference, within memory that is held for it, if any; and whether it has just
been looked up."""


class PrefetchQueue:
    """Hands references on, a moment after they were added, or once there is room.

    Args:
        wanted: whether a reference is to be resolved at all.
        look_up: looks for stored images; it must not raise.
        turn: makes what an image's memory is waited for by.
        start: starts to resolve one that is not stored.
        traffic: says whether there is room.
        congestion: told of those that have to wait, or are left out.
        max_held: bytes that the references in the queue may hold themselves.
        max_wait: seconds after which waiting for memory is told of.
        spare: places that those which have waited leave free for others.
    """

    def __init__(
        self,
        wanted: Callable[[ImageReference], bool],
        look_up: LookUp,
        turn: Callable[[ImageReference], Reservation],
        start: Start,
        traffic: Traffic,
        congestion: Congestion,
        *,
        max_held: int,
        max_wait: float,
        spare: int,
    ) -> None:
        self.gather: Callable[[], None] = lambda: None
        """Called before anything is looked for here: adds what came before, and must not raise."""
        self._wanted = wanted
        self._look_up = look_up
        self._turn = turn
        self._start = start
        self._traffic = traffic
        self._congestion = congestion
        self._max_held = max_held
        self._max_wait = max_wait
        self._spare = spare
        self._held = 0
        self._soon = 0  # of those that wait, how many do so for the pause alone
        self._new: list[ImageReference] = []  # nothing else is known of them so far
        self._entries: dict[str, Entry] = {}
        self._turns: Turns[str] = Turns()  # of those that are not under way
        self._started: dict[str, Entry] = {}
        self._looking_up: asyncio.Task[None] | None = None  # one at a time, or order would be lost
        self._pause = Pause(self._hand_on)

    def __len__(self) -> int:
        """How many references wait to be resolved."""
        self._sort_in()
        return len(self._entries)

    def __contains__(self, key: str) -> bool:
        """Whether a reference is about to be resolved."""
        self._sort_in()
        entry = self._entries.get(key)
        return entry is not None and (entry.under_way or not entry.delayed)

    def add(self, reference: ImageReference) -> None:
        """Have a reference resolved soon.

        Of two that claim the same both are handed on: one may have the better link.
        """
        self._new.append(reference)
        if reference.held or len(self._new) >= _MAX_NEW:
            self._sort_in()
        self._pause.came()

    def hurry(self, key: str) -> None:
        """Hand the reference with this key on now, if it waits: somebody asks for the image.

        Whoever answers its message is there by then, and may want its other images next: so what
        waits for the pause waits no longer.
        """
        self._sort_in()
        entry = self._take(key)
        if entry is None:
            return
        if not self._traffic.obstacle(entry.reference, (), 0):
            self._begin(entry, None, looked_up=False)
        if self._soon:
            self._pause.cut_short()

    def ended(self, key: str, busy: bool) -> None:
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
        if self._turns:
            self._pause.within(0)

    def clear(self) -> None:
        """Hand on nothing of what waits."""
        self._pause.cancel()
        if self._looking_up is not None:
            self._looking_up.cancel()
        self._new.clear()
        for key in [*self._entries]:
            self._take(key)

    def _sort_in(self) -> None:
        """Let new references wait. Done for many at a time, it takes half as long for each."""
        if not on_event_loop():  # a handler without ``async`` asks how an image stands
            return
        self.gather()
        new, self._new = self._new, []
        for reference in new:
            if self._wanted(reference) and (key := free_key(reference, self._entries)):
                now = asyncio.get_running_loop().time()
                self._wait(key, Entry(reference, shares_of(reference), now))

    def _wait(self, key: str, entry: Entry) -> None:
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
            if self._traffic.obstacle(entry.reference, entry.shares, self._soon - 1) == "flights":
                self._delay(entry, "flights")
        return self._pause.came()

    def _delay(self, entry: Entry, why: str) -> None:
        if not entry.delayed:
            self._soon -= 1
            entry.delayed = True
            self._congestion.delayed(why)

    def _take(self, key: str) -> Entry | None:
        """Take out what waits, for whatever."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return None
        if entry.under_way:
            entry.under_way = False
            self._traffic.end(entry.reference, entry.shares)
            if entry.turn is not None:
                entry.turn.give_up()
        else:
            self._turns.remove(entry.chat, key)
            self._wait_no_longer(entry)
        return entry

    def _wait_no_longer(self, entry: Entry) -> None:
        self._held -= entry.reference.held
        self._soon -= not entry.delayed

    def _hand_on(self) -> None:
        if self._looking_up is not None:  # and goes on then
            return
        self._sort_in()
        too_old = asyncio.get_running_loop().time() - _LIFE
        batch: dict[str, Entry] = {}
        more = True
        while more and len(batch) < _AT_ONCE:
            more = False
            for chat, key in self._turns.next_ones():
                entry = self._entries[key]
                if entry.since < too_old:
                    self._take(key)
                    self._congestion.left_out("links")
                # what is asked for now needs some of the places
                elif why := self._traffic.obstacle(
                    entry.reference, entry.shares, self._spare if entry.delayed else 0
                ):
                    self._delay(entry, why)
                    continue
                else:
                    self._turns.serve(chat)
                    self._wait_no_longer(entry)
                    self._traffic.begin(entry.reference, entry.shares)
                    entry.under_way = True
                    batch[key] = entry
                more = True
        if batch:
            self._looking_up = asyncio.create_task(self._begin_missing(batch))
            self._looking_up.add_done_callback(self._looked_up)

    async def _begin_missing(self, batch: dict[str, Entry]) -> None:
        """Begin those that are not stored, each once there is memory for it."""
        found = await self._look_up([entry.reference for entry in batch.values()])
        stored = found or [False] * len(batch)
        for (key, entry), is_stored in zip(batch.items(), stored, strict=True):
            if self._entries.get(key) is not entry:  # asked for meanwhile
                continue
            if is_stored:
                self._take(key)
                continue
            entry.turn = self._turn(entry.reference)
            waiting = entry.turn.enter()
            if waiting.done():
                self._begin_in_turn(key, entry, looked_up=found is not None)
            else:
                waiting.add_done_callback(partial(self._turn_came, key, entry))

    def _looked_up(self, _: "asyncio.Task[None]") -> None:
        self._looking_up = None
        if self._turns or self._new:
            self._pause.within(0)

    def _turn_came(self, key: str, entry: Entry, _: "asyncio.Future[None]") -> None:
        self._begin_in_turn(key, entry, looked_up=False)

    def _begin_in_turn(self, key: str, entry: Entry, *, looked_up: bool) -> None:
        if self._entries.get(key) is not entry:  # asked for in the same moment
            return
        turn, entry.turn = entry.turn, None
        self._take(key)
        waited = asyncio.get_running_loop().time() - entry.since
        if turn is not None and waited > _LIFE:
            self._congestion.left_out("links")
            return turn.give_up()
        if waited > self._max_wait and not entry.delayed:
            self._congestion.delayed("turn")
        return self._begin(entry, turn, looked_up=looked_up)

    def _begin(self, entry: Entry, turn: Reservation | None, *, looked_up: bool) -> None:
        self._started[entry.reference.key] = entry
        self._start(entry.reference, turn, looked_up)
