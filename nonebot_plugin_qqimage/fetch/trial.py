"""What is tried for one image: what came of each attempt, and whether it is the right image."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TypeVar

from ..config import ScopedConfig
from ..content.info import ImageInfo
from ..content.inspection import inspect_within
from ..errors import Attempt, AttemptFailed, Cause
from ..implementation.implementation import Implementation
from ..messages.claims import doubt, link_agrees
from ..messages.names.file_id import file_id_of
from ..messages.names.link_key import without_key
from ..messages.reference import ImageReference
from .files.roots import Roots
from .links import Links
from .reservation import Reservation, memory_for

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Fetched:
    """An image, and where it came from."""

    info: ImageInfo
    """What it is."""
    data: bytes = field(repr=False)
    """Its bytes, inspected."""
    source: str
    """The name of the source that gave them."""
    by_link: bool = False
    """Whether its bytes came by the segment's own link."""
    link_agrees: bool | None = None
    """Whether the segment's own link brought what it says; None where it did not bring anything, or
    says nothing that can be read."""


class Trial:
    """One image that is being fetched: makes the attempts, and judges what they bring.

    Args:
        reference: the image.
        find_implementation: gives whom to ask: another one after a reconnect, and None while the
            bot is away.
        links: downloads the image's links.
        reservation: the bytes of memory that may be held for the image.
        config: the settings.
        roots: reads files, and knows which network drives are gone.
        inspectors: threads that look at bytes. Few at a time, for each may hold the event loop up.
        binding: whether links have proven to tell the truth about their content.
    """

    def __init__(
        self,
        reference: ImageReference,
        find_implementation: Callable[[], Implementation | None],
        links: Links,
        reservation: Reservation,
        config: ScopedConfig,
        roots: Roots,
        inspectors: Executor,
        *,
        binding: bool = False,
    ) -> None:
        self.reference = reference
        """What the segment said."""
        self.find_implementation = find_implementation
        """Gives whom to ask now."""
        self.links = links
        """Downloads the image's links."""
        self.config = config
        """The settings."""
        self.attempts: list[Attempt] = []
        """The attempts that failed, in order."""
        self.asked: Implementation | None = None
        """The implementation that was asked for the image last."""
        self.second_best: Fetched | None = None
        """The first image that is probably another one, to be taken when nothing better comes."""
        self.link_agrees: bool | None = None
        """Whether the segment's own link brought what it says; None where nobody knows."""
        self._binding = binding
        self.reservation = reservation
        """The bytes of memory that may be held for the image."""
        self._inspectors = inspectors
        self.roots = roots
        """Reads files."""

    async def ask(self, source: str, question: Awaitable[Answer]) -> Answer | None:
        """The answer to a question, which holds no image yet; None where it failed.

        Args:
            source: what errors and statistics call the attempt.
            question: what is awaited. When it raises `AttemptFailed`, that is recorded.
        """
        started = time.perf_counter()
        try:
            return await question
        except AttemptFailed as failure:
            seconds = time.perf_counter() - started
            self.attempts.append(Attempt(source, failure.cause, failure.detail, seconds))
            return None

    async def take(
        self, source: str, delivery: Awaitable[bytes | None], *, by_name: bool = False
    ) -> Fetched | None:
        """The image that a source brings; None where it brings none, or the wrong one.

        Implementations look images up by name, and may bring another one of that name: what claims
        contradict is taken as `second_best` at most. See `claims.doubt`.

        Args:
            source: what errors and statistics call the source.
            delivery: gives the bytes, or None where the source does not apply to this image. When
                it raises `AttemptFailed`, that is recorded.
            by_name: whether an implementation looks the image up by its name.
        """
        return await self.ask(source, self._judged(source, delivery, by_name))

    async def _judged(
        self, source: str, delivery: Awaitable[bytes | None], by_name: bool
    ) -> Fetched | None:
        self.links.opened = ""
        data = await delivery
        if data is None:
            return None
        self.reservation.resize(memory_for(len(data)))
        loop = asyncio.get_running_loop()
        info = await loop.run_in_executor(self._inspectors, self._inspect, data)
        by_link = self._is_own_link(self.links.opened)
        if by_link:
            self.link_agrees = link_agrees(info, self.reference)
        fetched = Fetched(info, data, source, by_link)
        reason, acceptable = doubt(
            info, self.reference, binding=self._binding, by_link=by_link, by_name=by_name
        )
        if not reason:
            return fetched
        if acceptable and (self.second_best is None or (by_link and self.reference.link)):
            self.second_best = fetched
        raise AttemptFailed(Cause.REJECTED, reason)

    def _is_own_link(self, url: str) -> bool:
        """Whether a link is the segment's own, with any key."""
        link, opened = self.reference.link, file_id_of(url)
        if link is None or opened is None:
            return bool(url) and without_key(url) == without_key(self.reference.url)
        return opened.name == link.name

    def _inspect(self, data: bytes) -> ImageInfo:
        sha1 = self.reference.link.sha1 if self.reference.link else ""
        return inspect_within(self.config, data, md5=self.reference.md5, sha1=sha1)
