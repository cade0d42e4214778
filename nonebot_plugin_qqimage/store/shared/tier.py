"""`SharedTier`: the shared store as the local one uses it, behind itself.

Whatever is asked here has one deadline, and where the shared store is away nothing is asked at all.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from ...batching import Batching
from ...content.info import ImageInfo
from ...errors import StoreError
from ...language import Text, say
from ...log import logger
from ...messages.reference import ImageReference
from ...messages.sighting import Sighting
from ..local import images
from ..local.access import Access
from ..local.blobs import Blobs
from ..local.images import How
from ..local.meaning import best
from ..local.sighting_rows import place_of
from .breaker import Breaker, Refused, Unreachable
from .changes import Changes
from .sending import Sending
from .shared import Host, Lease, Pulse, Query, Shared
from .verifying import Damaged, verified

_T = TypeVar("_T")
DEADLINE = 2.0
"""Seconds that whoever asks for an image waits for the shared store, or for another host."""
_PAUSE = 1.0
"""Seconds from one look at the shared store to the next: `forget` elsewhere is learnt of so."""
_SOON = 0.05
"""Seconds until the next look where something is waiting for another process of this host."""
_INTERVAL = 30.0
"""Seconds after which the shared store is told anew who uses it."""
_COLLECT = 60.0
"""Seconds after which it is brought within its bounds."""
_COLLECTED = 64
"""Images removed at a time, so that nobody waits long for their rows."""
_LEASE = 10.0
"""Seconds for which a host may fetch for all others; nobody waits as long as that."""
_GLANCE = 0.05
"""Seconds after which another host's fetch is looked for."""
_MAX_USED = 10_000
"""Images whose use is yet to be told."""
_DRIFT = 1e-4
"""Seconds by which two clocks part from one look to the next, at worst."""


@dataclass(frozen=True)
class Found:
    """An image that the shared store has brought, verified."""

    info: ImageInfo
    data: bytes
    by_name: bool
    """Whether it is meant by a name, and not by a digest."""


class SharedTier:
    """Finds, waits and merges for one host; `synchronise` does everything else.

    Args:
        shared: the shared store.
        access: to the local index.
        blobs: where the local files are.
        forget: forgets what this process knows.
        max_size: bytes that the shared store may hold, as far as this host is concerned.
        max_age: seconds for which sightings may stay there.
    """

    def __init__(
        self,
        shared: Shared,
        access: Access,
        blobs: Blobs,
        forget: Callable[[], None],
        *,
        max_size: int,
        max_age: float,
    ) -> None:
        self.breaker = Breaker()
        """Whether the shared store answers."""
        self.ahead = 0.0
        """Seconds by which its clock is ahead of this machine's."""
        self.hurry: Callable[[], None] = lambda: None
        """Called when `synchronise` should be called soon."""
        self.shared = shared
        """The shared store itself."""
        self._changes = Changes(access, blobs, forget)
        self._sending = Sending(shared, access, blobs)
        self._bounds = max_size, max_age
        self._finds = Batching(self.shared.find, images.MOST_ASKED)
        self._used: set[str] = set()
        self._done: list[Lease] = []
        self._waiting: list[asyncio.Future[bool]] = []
        self._told = self._collected = -_INTERVAL
        self._within = math.inf

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
        with anyio.move_on_after(deadline) as scope:
            return await self._ask(self._find(reference, binding, answered))
        if scope.cancelled_caught and not answered:
            self.breaker.failed(_no_answer(deadline))
        return None

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
        with anyio.move_on_after(deadline) as scope:
            return await self._ask(self._take_turn(reference, binding, answered))
        if scope.cancelled_caught and not answered:
            self.breaker.failed(_no_answer(deadline))
        return None

    def release(self, lease: Lease) -> None:
        """Let others fetch again, once what was fetched has been sent."""
        self._done.append(lease)
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
            asked = replace(query, arrived_by=query.arrived_by + self.ahead)
        found = await self._in_time(self.shared.sightings(asked))
        if found is None:
            return [*local]
        here = {_identity(each): replace(each, arrived=each.arrived + self.ahead) for each in local}
        every = {**here, **{_identity(each): each for each in found}}
        # sorted() keeps the order of those that arrived at one moment, which the store has given
        latest = sorted(every.values(), key=lambda each: each.arrived, reverse=True)
        return latest[: query.limit]

    async def pins(self, owner: str) -> list[str] | None:
        """The SHA-256 of what an owner keeps; None where the shared store cannot say."""
        if not await self.sent(DEADLINE):
            return None
        return await self._in_time(self.shared.pins(owner))

    async def agree(self, secret: bytes) -> bytes | None:
        """The secret of all hosts; None where nobody answers.

        Args:
            secret: this host's own, for where there is none yet.
        """
        return await self._in_time(self.shared.secret(secret)) if self.breaker.closed else None

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

    def noted(self, used: Iterable[str]) -> None:
        """Something was written down here: send it, with which images were used."""
        if len(self._used) < _MAX_USED:
            self._used.update(used)
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
            sent = await self._synchronise()
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

    async def _synchronise(self) -> bool:
        """One round; whether everything has been sent."""
        done, self._done = self._done, []
        try:
            while True:
                seen = await self._catch_up()
                more = await self._sending.send_some(seen=seen, ahead=self.ahead)
                if more is False:
                    break
                if more is None and seen == await self._catch_up():
                    self._done, done = [*done, *self._done], []
                    return False  # another process is sending
        except BaseException:
            self._done = [*done, *self._done]
            raise
        if done:
            await self.shared.release(done)
        if time.monotonic() - self._collected > _COLLECT:
            self._collected = time.monotonic()
            while (await self.shared.collect(_COLLECTED))[0]:
                pass
        return True

    async def _catch_up(self) -> int:
        """Do what other hosts have done; the number of the last change."""
        seen = await self._changes.seen()
        while True:
            host, now = None, time.monotonic()
            if now - self._told >= _INTERVAL:
                running = await anyio.to_thread.run_sync(_version)
                host = Host(self._sending.name, 0.0, running, *self._bounds)
            used, self._used = self._used, set()
            pulse = await self.shared.pulse(seen or 0, host, [*used])
            self._measure(pulse)
            self._told = now if host else self._told
            self.breaker.answered()
            if seen is None or pulse.last < seen:  # it is new here, or another one than before
                seen = pulse.last
                await self._changes.note(seen)
            elif seen < pulse.oldest - 1:
                await self._missed()
                seen = pulse.oldest - 1
            for change in pulse.changes:
                if change.number > seen:
                    await self._changes.make(change, ahead=self.ahead)
                    seen = change.number
            if seen >= pulse.last:
                return seen

    async def _missed(self) -> None:
        """Send nothing of what waits: nobody knows any more whether it was forgotten."""
        count = await self._sending.drop()
        logger.warning(
            say(
                "qqimage: the shared store: this host was away for too long to know what was "
                "forgotten meanwhile, so {count} entries that it has not sent are dropped",
                count=count,
            )
        )

    def _measure(self, pulse: Pulse) -> None:
        """Keep the best measurement, as long as no clock has been set meanwhile."""
        self._within += _DRIFT
        difference = abs(pulse.ahead - self.ahead)
        if pulse.within <= self._within or difference > self._within + pulse.within:
            self.ahead, self._within = pulse.ahead, pulse.within

    # One image

    async def _find(
        self, reference: ImageReference, binding: bool, answered: "list[object]"
    ) -> Found | None:
        there: list[tuple[ImageInfo, How]] = await self._finds.ask(reference)
        answered.append(there)
        info = best(reference, there, binding=binding)
        if info is None:
            return None
        data = await self.shared.fetch(info.sha256)
        if data is None:
            return None
        try:
            right = await verified(info, data)
        except Damaged:
            await self._damaged(info)
            return None
        if right is None:
            return None
        how = next(how for each, how in there if each is info)
        return Found(right, data, how != "digest")

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

    async def _damaged(self, info: ImageInfo) -> None:
        logger.warning(
            say(
                "qqimage: the shared store: image {sha256} is damaged there, and is removed",
                sha256=info.sha256,
            )
        )
        await self.shared.drop(info.sha256)

    async def _in_time(self, work: Coroutine[Any, Any, _T]) -> _T | None:
        """What one question to the shared store gives; None where it gives nothing in time."""
        with anyio.move_on_after(DEADLINE):
            return await self._ask(work)
        self.breaker.failed(_no_answer(DEADLINE))
        return None

    async def _ask(self, work: Coroutine[Any, Any, _T]) -> _T | None:
        try:
            return await work
        except Unreachable as error:
            self.breaker.failed(error)
        except Refused as error:
            self.breaker.refused(error)
        return None


def _identity(sighting: Sighting) -> tuple[object, ...]:
    reference = sighting.reference
    return (
        *(*place_of(reference), reference.position, sighting.chat, reference.key, sighting.time),
    )


def _no_answer(seconds: float) -> Unreachable:
    return Unreachable(Text("no answer within {seconds:g} s", seconds=seconds))


def _version() -> str:
    try:
        return version("nonebot-plugin-qqimage")
    except PackageNotFoundError:  # run from a folder of sources
        return "unknown"
