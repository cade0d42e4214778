"""`Fetcher`: gets an image from whatever source can give it, within the time there is."""

import contextlib
from collections.abc import Callable, Generator
from dataclasses import replace

import anyio

from ..config import ScopedConfig
from ..errors import Attempt, Cause
from ..implementation.implementation import Implementation
from ..language import Text
from ..messages.reference import ImageReference
from ..threads import DaemonThreads
from .files.roots import Roots
from .http.downloader import Downloader
from .links import Links
from .reservation import Reservation
from .sequence import try_each, try_in_order
from .trial import Fetched, Trial

__all__ = ["Fetched", "Fetcher"]

_INSPECTORS = 2
"""Images looked at at a time: more would only compete for the GIL, with the event loop, too."""


class Fetcher:
    """Every way to an image's bytes.

    Args:
        config: the settings.

    Raises:
        ValueError: a setting for downloads cannot be used; the message names it.
    """

    def __init__(self, config: ScopedConfig) -> None:
        self._config = config
        self._roots = Roots()
        self._inspectors = DaemonThreads(_INSPECTORS, "qqimage-inspect")
        self._downloader = Downloader(
            timeout=config.download_timeout,
            max_size=config.max_image_size,
            mirrors=config.mirrors,
            proxy=config.proxy,
            trusted_hosts=config.trusted_hosts,
        )

    async def fetch(
        self,
        reference: ImageReference,
        find_implementation: Callable[[], Implementation | None],
        reservation: Reservation,
        binding: bool = False,
    ) -> tuple[Fetched | None, tuple[Attempt, ...]]:
        """Try the sources in order, until one brings the image that the segment describes.

        Args:
            reference: the image.
            find_implementation: gives whom to ask: another one after a reconnect, and None while
                the bot is away.
            reservation: the bytes of memory that may be held for the image.
            binding: whether links have proven to tell the truth about their content.

        Returns:
            The image, or None; and the attempts that failed. It stops in time: see
            ``resolve_timeout``.
        """
        trial = self._trial(reference, find_implementation, reservation, binding)
        found: Fetched | None = None
        with self._deadline(trial):
            found = await try_in_order(trial)
        best = found or trial.second_best
        if best is not None:
            best = replace(best, link_agrees=trial.link_agrees)
        return best, tuple(trial.attempts)

    async def try_each(
        self,
        reference: ImageReference,
        find_implementation: Callable[[], Implementation | None],
        reservation: Reservation,
    ) -> tuple[list[tuple[Fetched, float]], tuple[Attempt, ...]]:
        """Try every source, whatever the others bring, to find out which of them work.

        Args:
            reference: the image.
            find_implementation: gives whom to ask; None where there is nobody.
            reservation: the bytes of memory that may be held for the image.

        Returns:
            What each source brought with the seconds that took, and the attempts that failed. It
            stops in time: see ``resolve_timeout``.
        """
        trial = self._trial(reference, find_implementation, reservation)
        found: list[tuple[Fetched, float]] = []
        with self._deadline(trial):
            async for each in try_each(trial):
                found.append(each)
        return found, tuple(trial.attempts)

    async def warm_up(self) -> None:
        """Make ready what downloads need, so that the first one does not wait for it.

        The work is done in a thread, in pieces; nothing is connected to.
        """
        await self._downloader.warm_up()

    async def close(self) -> None:
        """Close every connection, and end what reads files."""
        self._roots.close()
        self._inspectors.shutdown()
        await self._downloader.close()

    def _trial(
        self,
        reference: ImageReference,
        find_implementation: Callable[[], Implementation | None],
        reservation: Reservation,
        binding: bool = False,
    ) -> Trial:
        links = Links(self._downloader, reservation)
        return Trial(
            reference,
            find_implementation,
            links,
            reservation,
            self._config,
            self._roots,
            self._inspectors,
            binding=binding,
        )

    @contextlib.contextmanager
    def _deadline(self, trial: Trial) -> Generator[None, None, None]:
        """Stop in time, and write down among the attempts that it was stopped."""
        limit = self._config.resolve_timeout
        with anyio.move_on_after(limit) as deadline:
            yield
        if deadline.cancelled_caught:
            detail = Text("more than {seconds:g} s", seconds=limit)
            trial.attempts.append(
                Attempt(Text("everything together"), Cause.TIMEOUT, detail, limit)
            )
