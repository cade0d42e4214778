"""What is tried for one image: what came of each attempt, and whether it is the right image."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TypeVar

from ..config import ScopedConfig
from ..content.info import ImageInfo
from ..content.inspection import inspect
from ..errors import Attempt, AttemptFailed, Cause
from ..implementation.implementation import Implementation
from ..language import Text
from ..messages.reference import ImageReference
from .links import Links
from .reservation import Reservation, memory_for
from .roots import Roots

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
        self.second_best: Fetched | None = None
        """The first image that is probably another one, to be taken when nothing better comes."""
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

    async def take(self, source: str, delivery: Awaitable[bytes | None]) -> Fetched | None:
        """The image that a source brings; None where it brings none, or the wrong one.

        Bytes of another size than the segment declares are most likely another image of the same
        name, because implementations look it up by name: they become `second_best`, but not when
        their MD5 contradicts the name as well.

        Args:
            source: what errors and statistics call the source.
            delivery: gives the bytes, or None where the source does not apply to this image. When
                it raises `AttemptFailed`, that is recorded.
        """
        return await self.ask(source, self._judged(source, delivery))

    async def _judged(self, source: str, delivery: Awaitable[bytes | None]) -> Fetched | None:
        data = await delivery
        if data is None:
            return None
        self.reservation.resize(memory_for(len(data)))
        loop = asyncio.get_running_loop()
        info = await loop.run_in_executor(self._inspectors, self._inspect, data)
        fetched = Fetched(info, data, source)
        doubt = _doubt(self.reference, fetched.info)
        if not doubt:
            return fetched
        if not (self.reference.md5 or self.reference.sha256):
            self.second_best = self.second_best or fetched
        raise AttemptFailed(Cause.REJECTED, doubt)

    def _inspect(self, data: bytes) -> ImageInfo:
        return inspect(
            data,
            max_size=self.config.max_image_size,
            max_pixels=self.config.max_pixels,
            max_frames=self.config.max_frames,
            md5=self.reference.md5,
        )


def _doubt(reference: ImageReference, info: ImageInfo) -> str:
    """Why these bytes are probably not the image that the segment describes; empty if they are.

    A name that is another MD5 alone is no reason: https://github.com/NapNeko/NapCatQQ/issues/458
    """
    if reference.sha256:
        if info.sha256 == reference.sha256:
            return ""
        return Text("another image: {sha256}", sha256=info.sha256)
    if info.md5 == reference.md5 or reference.size in (None, info.size):
        return ""
    return Text(
        "another image: {size} bytes, where the segment says {declared}",
        size=info.size,
        declared=reference.size,
    )
