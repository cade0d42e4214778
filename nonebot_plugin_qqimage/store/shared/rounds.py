"""Rounds: what is done with the shared store in the background, again and again."""

import math
import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

import anyio.to_thread

from ...language import say
from ...log import logger
from .annotations import SendingAnnotations
from .breaker import Breaker
from .changes import Changes
from .sending import Sending
from .shared import Host, Lease, Pulse, Shared

_INTERVAL = 30.0
"""Seconds after which the shared store is told anew who uses it."""
_COLLECT = 60.0
"""Seconds after which it is brought within its bounds."""
_COLLECTED = 64
"""Images removed at a time, so that nobody waits long for their rows."""
_MAX_USED = 10_000
"""Images whose use is yet to be told."""
_DRIFT = 1e-4
"""Seconds by which two clocks part from one look to the next, at worst."""


class Rounds:
    """Learns what other hosts have done, sends what waits, and keeps the bounds.

    Args:
        shared: the shared store.
        sending: sends the outbox.
        annotations: sends what was said of pictures.
        changes: does here what other hosts have done.
        breaker: told whenever the shared store answers.
        max_size: bytes that the shared store may hold, as far as this host is concerned.
        max_age: seconds for which sightings may stay there.
    """

    def __init__(
        self,
        shared: Shared,
        sending: Sending,
        annotations: SendingAnnotations,
        changes: Changes,
        breaker: Breaker,
        max_size: int,
        max_age: float,
    ) -> None:
        self.ahead = 0.0
        """Seconds by which the clock of the shared store is ahead of this machine's."""
        self.done: list[Lease] = []
        """Rights to fetch that are given back once everything has been sent."""
        self._shared = shared
        self._sending = sending
        self._annotations = annotations
        self._changes = changes
        self._breaker = breaker
        self._bounds = max_size, max_age
        self._used: set[str] = set()
        self._told = self._collected = -_INTERVAL
        self._within = math.inf

    def note_uses(self, used: Iterable[str]) -> None:
        """Tell the shared store in the next round that images were used.

        Args:
            used: their SHA-256.
        """
        if len(self._used) < _MAX_USED:
            self._used.update(used)

    async def run(self) -> bool:
        """One round; whether everything has been sent.

        Raises:
            Unreachable: the shared store does not answer.
            Refused: it will not obey.
            StoreError: the local store fails.
        """
        done, self.done = self.done, []
        try:
            while True:
                seen = await self._catch_up()
                more = await self._sending.send_some(seen=seen, ahead=self.ahead)
                if more is False and await self._annotations.send(seen=seen, ahead=self.ahead):
                    break
                if more is None and seen == await self._catch_up():
                    self.done, done = [*done, *self.done], []
                    return False  # another process is sending
        except BaseException:
            self.done = [*done, *self.done]
            raise
        if done:
            await self._shared.release(done)
        if time.monotonic() - self._collected > _COLLECT:
            self._collected = time.monotonic()
            while (await self._shared.collect(_COLLECTED))[0]:
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
            pulse = await self._shared.pulse(seen or 0, host, [*used])
            self._measure(pulse)
            self._told = now if host else self._told
            self._breaker.answered()
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
        count = await self._sending.drop() + await self._annotations.drop()
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


def _version() -> str:
    try:
        return version("nonebot-plugin-qqimage")
    except PackageNotFoundError:  # run from a folder of sources
        return "unknown"
