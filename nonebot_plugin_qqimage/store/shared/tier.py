"""`SharedTier`: the shared store as the local one uses it, behind itself.

Whatever is asked here has one deadline, and where the shared store is away nothing is asked at all.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import anyio

from ...batching import Batching
from ...errors import StoreError
from ...language import Text
from ...messages.reference import ImageReference
from ...messages.sighting import Sighting
from ..local import images
from ..local.access.access import Access
from ..local.files.blobs import Blobs
from .annotations import SendingAnnotations
from .breaker import Breaker, Refused, Unreachable
from .changes import Changes
from .found import Found, bring
from .rounds import Rounds
from .sending import Sending
from .shared import Lease, Query, Shared
from .sightings import merged

_T = TypeVar("_T")
DEADLINE = 2.0
"""Seconds that whoever asks for an image waits for the shared store, or for another host."""
_PAUSE = 1.0
"""Seconds from one look at the shared store to the next: `forget` elsewhere is learnt of so."""
_SOON = 0.05
"""Seconds until the next look where something is waiting for another process of this host."""
_LEASE = 10.0
"""Seconds for which a host may fetch for all others; nobody waits as long as that."""
_GLANCE = 0.05
"""Seconds after which another host's fetch is looked for."""


class SharedTier:
    """Finds, waits and merges for one host; `synchronise` does everything else.

    Args:
        shared: the shared store.
        access: to the local index.
        blobs: where the local files are.
        changes: does here what other hosts have done.
        max_size: bytes that the shared store may hold, as far as this host is concerned.
        max_age: seconds for which sightings may stay there.
    """

    def __init__(
        self,
        shared: Shared,
        access: Access,
        blobs: Blobs,
        changes: Changes,
        *,
        max_size: int,
        max_age: float,
    ) -> None:
        self.breaker = Breaker()
        """Whether the shared store answers."""
        self.hurry: Callable[[], None] = lambda: None
        """Called when `synchronise` should be called soon."""
        self.shared = shared
        """The shared store itself."""
        self._sending = Sending(shared, access, blobs)
        self._rounds = Rounds(
            *(shared, self._sending, SendingAnnotations(shared, access)),
            *(changes, self.breaker),
            *(max_size, max_age),
        )
        self._finds = Batching(self.shared.find, images.MOST_ASKED)
        self._waiting: list[asyncio.Future[bool]] = []

    # What handlers ask for

    async def find(
        self, reference: ImageReference, *, binding: bool, deadline: float = DEADLINE
    ) -> Found | None:
        """The image a reference means, with its bytes.

        Args:
            reference: the reference.
            binding: whether links have proven to tell the truth.
            deadline: seconds to wait at most.
        """
        if not self.breaker.closed or reference.content:  # which brings itself
            return None
        answered: list[object] = []
        work = self._find(reference, binding, answered)
        return await self._in_time(work, deadline, answered)

    async def take_turn(
        self, reference: ImageReference, *, binding: bool, deadline: float
    ) -> Lease | Found | None:
        """The right to fetch an image for all hosts; or what another one has fetched meanwhile.

        Args:
            reference: the image.
            binding: whether links have proven to tell the truth.
            deadline: seconds to wait for another host.

        Returns:
            None where nobody has it by then, or where no other host could mean this image.
        """
        shareable = reference.key != reference.own_key or reference.face_id or reference.sha256
        if not self.breaker.closed or reference.content or not shareable or deadline <= 0:
            return None
        answered: list[object] = []
        work = self._take_turn(reference, binding, answered)
        return await self._in_time(work, deadline, answered)

    def release(self, lease: Lease) -> None:
        """Let others fetch again, once what was fetched has been sent."""
        self._rounds.done.append(lease)
        self.hurry()

    async def sightings(self, query: Query, local: Sequence[Sighting]) -> list[Sighting]:
        """The sightings that fit on all hosts, the latest first.

        Args:
            query: which, by this machine's clock.
            local: those that fit here, of which some may not have been sent yet.
        """
        if not self.breaker.closed:
            return [*local]
        asked = query
        if query.arrived_by is not None:
            asked = replace(query, arrived_by=query.arrived_by + self._rounds.ahead)
        found = await self._in_time(self.shared.sightings(asked))
        if found is None:
            return [*local]
        return merged(local, found, ahead=self._rounds.ahead)[: query.limit]

    async def pins(self, owner: str) -> list[str] | None:
        """The SHA-256 of what an owner keeps; None where the shared store cannot say."""
        begun = time.monotonic()
        sent = await self.sent(DEADLINE)
        left = DEADLINE - (time.monotonic() - begun)
        return await self.ask(lambda shared: shared.pins(owner), left) if sent else None

    async def agree(self, secret: bytes) -> bytes | None:
        """The secret of all hosts; None where nobody answers.

        Args:
            secret: this host's own, for where there is none yet.
        """
        return await self.ask(lambda shared: shared.secret(secret))

    async def sent(self, seconds: float) -> bool:
        """Wait until all that is in the outbox now has been sent; whether it has."""
        if not self.breaker.closed:
            return False
        waiting: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        self.hurry()
        await asyncio.wait({waiting}, timeout=seconds)
        return waiting.done() and waiting.result()

    async def forgotten(self, number: int) -> tuple[int, int]:
        """How many sightings and images have gone with an entry of the outbox, everywhere."""
        self._sending.forgotten[number] = 0, 0
        try:
            await self.sent(DEADLINE)
            return self._sending.forgotten[number]
        finally:
            del self._sending.forgotten[number]

    @property
    def ahead(self) -> float:
        """Seconds by which the clock of the shared store is ahead of this machine's."""
        return self._rounds.ahead

    async def ask(
        self, question: Callable[[Shared], Coroutine[Any, Any, _T]], seconds: float = DEADLINE
    ) -> _T | None:
        """What the shared store answers; None where it is away, or does not answer in time.

        Args:
            question: what it is asked.
            seconds: how long to wait; where none are left, it is not asked, and not to blame.
        """
        if not self.breaker.closed or seconds <= 0:
            return None
        return await self._in_time(question(self.shared), seconds)

    def noted(self, used: Iterable[str]) -> None:
        """Something was written down here: send it, with which images were used."""
        self._rounds.note_uses(used)
        self.hurry()

    # What is done in the background

    async def synchronise(self) -> float:
        """Learn what has changed, send what waits, and keep the bounds.

        Returns:
            Seconds until it should be called again; earlier where `hurry` is called.

        Raises:
            StoreError: the local store fails.
        """
        waiting, self._waiting = self._waiting, []
        sent = False
        try:
            sent = await self._rounds.run()
        except Unreachable as error:
            self.breaker.failed(error)
        except Refused as error:
            # where it refuses even a look, as a newer version's tables do, it is as good as away
            if self.breaker.closed:
                self.breaker.refused(error)
            else:
                self.breaker.failed(error)
        finally:
            for each in waiting:
                if not each.done():
                    each.set_result(sent)
        if sent and self._waiting:
            return 0.0
        return _PAUSE if sent or not self.breaker.closed else _SOON

    async def close(self) -> None:
        """End every connection, once a last attempt was made to send what waits."""
        if self.breaker.closed:
            with contextlib.suppress(StoreError), anyio.move_on_after(DEADLINE):
                await self.synchronise()
        self.breaker.end()
        await self.shared.close()

    # One image

    async def _find(
        self, reference: ImageReference, binding: bool, answered: "list[object]"
    ) -> Found | None:
        there = await self._finds.ask(reference)
        answered.append(there)
        return await bring(self.shared, reference, there, binding=binding)

    async def _take_turn(
        self, reference: ImageReference, binding: bool, answered: "list[object]"
    ) -> Lease | Found | None:
        pause = _GLANCE
        while True:
            lease = await self.shared.claim(reference.key, self._sending.name, _LEASE)
            answered.append(lease)
            if lease is not None and lease.first:
                return lease
            try:
                found = await self._find(reference, binding, answered)
            except BaseException:
                if lease is not None:
                    self.release(lease)
                raise
            if found is not None and lease is not None:
                self.release(lease)
            if found is not None or lease is not None:
                return found or lease
            await asyncio.sleep(pause)
            pause = min(2 * pause, 4 * _GLANCE)

    async def _in_time(
        self,
        work: Coroutine[Any, Any, _T],
        seconds: float = DEADLINE,
        answered: Sequence[object] = (),
    ) -> _T | None:
        """What questions to the shared store give; None where they give nothing in time.

        Args:
            work: asks them.
            seconds: how long it may take.
            answered: filled by the work with the answers so far; where there are any, the shared
                store is not to blame.
        """
        with anyio.move_on_after(seconds):
            return await self._ask(work)
        if not answered:
            self.breaker.failed(_no_answer(seconds))
        return None

    async def _ask(self, work: Coroutine[Any, Any, _T]) -> _T | None:
        try:
            return await work
        except Unreachable as error:
            self.breaker.failed(error)
        except Refused as error:
            self.breaker.refused(error)
        return None


def _no_answer(seconds: float) -> Unreachable:
    return Unreachable(Text("no answer within {seconds:g} s", seconds=seconds))
