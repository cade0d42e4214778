"""A budget of bytes that concurrent fetches share, so that they cannot exhaust memory together.

Each bot and each chat has a share of it, so that the pictures of one wait for each other and not
for those of others. What a handler waits for comes first; then chats have their turns one by one,
and within a chat whoever came first.
"""

import asyncio
from collections.abc import Iterable

from .shares import Shares
from .turns import Turns

_PATIENCE = 64
"""How often one may be passed by others whose bytes fit, before nobody passes it any more."""
_PART = 2
"""One image gets at most this part of all bytes at first; the rest has to be grown into."""


class NoTurn(Exception):
    """Too many others were ahead for too long."""


class ByteBudget:
    """Bytes that some may hold at once.

    Args:
        total: bytes; a single reservation beyond it is cut to it, so that it can ever be met.
        holders: how many may hold some at once; None for any number.
        max_wait: seconds that each waits at most; None for any time.
    """

    def __init__(
        self, total: int, *, holders: int | None = None, max_wait: float | None = None
    ) -> None:
        self._total = total
        self._free = total
        self._seats = float("inf") if holders is None else holders
        self._max_wait = max_wait
        self._shares = Shares()
        self._holding: set[Reservation] = set()
        self._growing: list[Reservation] = []
        self._wanted: Turns[Reservation] = Turns()
        self._others: Turns[Reservation] = Turns()

    def reserve(
        self, size: int, *, shares: tuple[str, ...] = (), urgent: bool = False
    ) -> "Reservation":
        """So many bytes: ``async with`` waits until they are free, and holds them within.

        Args:
            size: bytes.
            shares: the bot and the chat whose share it is; empty where nobody has a share.
            urgent: whether somebody waits for it.
        """
        most = max(self._total // _PART, 1) if shares else self._total
        return Reservation(self, min(size, most), shares, urgent=urgent)

    async def take(self, who: "Reservation") -> None:
        """Wait for a turn.

        Raises:
            NoTurn: it did not come in time.
        """
        self.enter(who)
        if who.turn.done():
            return
        try:
            await asyncio.wait_for(asyncio.shield(who.turn), self._max_wait)
        except BaseException as error:
            self.give_up(who)
            if isinstance(error, asyncio.TimeoutError):
                raise NoTurn from None
            raise

    def enter(self, who: "Reservation") -> None:
        """Let one wait; its turn is done as soon as it holds its bytes."""
        who.turn = asyncio.get_running_loop().create_future()
        (self._wanted if who.urgent else self._others).add(who.chat, who)
        self._serve()

    def give_up(self, who: "Reservation") -> None:
        """Wait no longer, and hold nothing."""
        who.turn.cancel()
        if who in self._holding:
            self.leave(who)
        elif any(waiting.remove(who.chat, who) for waiting in (self._wanted, self._others)):
            self._serve()

    def holds(self, who: "Reservation") -> bool:
        """Whether one holds its bytes now."""
        return who in self._holding

    def leave(self, who: "Reservation") -> None:
        """Hold nothing any more."""
        self._holding.discard(who)
        self._seats += 1
        self._free += who.size
        self._shares.change(who.shares, seats=-1, size=-who.size)
        self._serve()

    def resize(self, who: "Reservation", size: int) -> None:
        """Let one hold so many bytes, without waiting."""
        self._change(who, size)
        self._serve()

    async def grow(self, who: "Reservation", size: int) -> None:
        """Let one hold so many bytes once they are free, and its share allows them."""
        who.wants, who.turn = min(size, self._total), asyncio.get_running_loop().create_future()
        self._growing.append(who)
        self._serve()
        try:
            await who.turn
        finally:
            if who in self._growing:
                self._growing.remove(who)
                self._serve()

    def hurry(self, who: "Reservation") -> None:
        """Let one go before those that nobody waits for."""
        who.urgent = True
        if self._others.remove(who.chat, who):
            self._wanted.add(who.chat, who)
            self._serve()

    def _serve(self) -> None:
        """Let everybody grow or come in for whom there is room now."""
        if not self._seats and not self._growing:
            return
        if self._let_grow() and self._let_in(self._wanted):
            self._let_in(self._others)

    def _let_grow(self) -> bool:
        """Let holders grow, in turn; whether others may have what is left."""
        for who in [*self._growing]:
            more = who.wants - who.size
            # who cannot end otherwise may have more than its share, and in the end more than all
            fair = self._shares.bytes_allowed(who.shares, more, self._free) or self._stuck(
                each for each in self._holding if each.shares == who.shares
            )
            if (fair and more <= self._free) or self._stuck(self._holding):
                self._growing.remove(who)
                self._change(who, who.wants)
                _wake(who)
            elif fair:
                return False
        return True

    def _let_in(self, waiting: "Turns[Reservation]") -> bool:
        """Let in who fits, in turn; whether others may have what is left."""
        served, passed = True, False
        while served:
            served = passed = False
            for chat, who in waiting.next_ones():
                if not self._seats or not self._allowed(who):
                    continue
                if who.size <= self._free:
                    self._admit(waiting.serve(chat))
                    served = True
                    continue
                who.passed, passed = who.passed + 1, True
                if who.passed > _PATIENCE:
                    return False
        return not passed

    def _allowed(self, who: "Reservation") -> bool:
        return self._shares.seat_allowed(who.shares, self._seats) and self._shares.bytes_allowed(
            who.shares, who.size, max(self._free, who.size)
        )

    def _admit(self, who: "Reservation") -> None:
        self._holding.add(who)
        self._seats -= 1
        self._free -= who.size
        self._shares.change(who.shares, seats=1, size=who.size)
        _wake(who)

    def _change(self, who: "Reservation", size: int) -> None:
        self._shares.change(who.shares, seats=0, size=size - who.size)
        self._free += who.size - size
        who.size = size

    def _stuck(self, holders: "Iterable[Reservation]") -> bool:
        return all(each in self._growing for each in holders)


class Reservation:
    """Bytes held by one fetch, within ``async with``.

    Args:
        budget: of whose bytes.
        size: how many.
        shares: the bot and the chat whose share it is.
        urgent: whether somebody waits for it.
    """

    def __init__(
        self, budget: ByteBudget, size: int, shares: tuple[str, ...], *, urgent: bool
    ) -> None:
        self._budget = budget
        self.size = size
        """Bytes."""
        self.shares = shares
        """The bot and the chat whose share it is."""
        self.urgent = urgent
        """Whether somebody waits for it."""
        self.wants = size
        """Bytes that it waits for, while it grows."""
        self.passed = 0
        """How often others were let in before it because it is large."""
        self.crowded = False
        """Whether it waits for room to grow, or has given up to wait for it."""
        self.turn: asyncio.Future[None]
        """Done once its turn has come."""

    @property
    def held(self) -> bool:
        """Whether its bytes are held now."""
        return self._budget.holds(self)

    @property
    def chat(self) -> str:
        """What it has its turns by."""
        return self.shares[-1] if self.shares else ""

    async def __aenter__(self) -> "Reservation":  # noqa: PYI034  Self came with Python 3.11
        if not self.held:
            await self._budget.take(self)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._budget.leave(self)

    def enter(self) -> "asyncio.Future[None]":
        """Wait for the bytes without a task: they are held once this is done.

        Use it with ``async with`` then, or call `give_up`.
        """
        self._budget.enter(self)
        return self.turn

    def give_up(self) -> None:
        """Wait no longer, and hold nothing."""
        self._budget.give_up(self)

    def resize(self, size: int) -> None:
        """Correct the reservation to what is really held, in bytes.

        It never waits: who holds bytes already cannot be told to hold fewer. Growing beyond the
        budget makes the next ones wait longer.
        """
        self._budget.resize(self, size)

    async def grow(self, size: int) -> None:
        """Hold so many bytes at least, as soon as there is room for them; call it before.

        Set a deadline: there may be no room for long.
        """
        if size > self.size:
            self.crowded = True
            await self._budget.grow(self, size)
            self.crowded = False

    def hurry(self) -> None:
        """Somebody waits for it now."""
        self._budget.hurry(self)


def _wake(who: Reservation) -> None:
    if not who.turn.done():  # its task may have yet to learn that it waits no longer
        who.turn.set_result(None)
