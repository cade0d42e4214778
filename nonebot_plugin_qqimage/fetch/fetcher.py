"""The sources, the order in which they are tried, and the judgement of what they bring."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio.to_thread

from ..config import ScopedConfig
from ..content.info import ImageInfo
from ..content.inspection import inspect
from ..errors import Attempt, AttemptFailed, Cause
from ..implementation.implementation import Implementation
from ..messages.reference import ImageReference
from .answer_base64 import AnswerBase64, SegmentBase64
from .answer_file import AnswerFile, SegmentFile
from .ask_again import AskAgain
from .download import Downloader
from .get_image import GetImage
from .message import FreshMessage
from .reservation import Reservation
from .rkey import FreshKey
from .shared_file import GetFile, GroupFileUrl
from .source import Fetch, Source
from .urls import AnswerUrl, SegmentUrl


@dataclass(frozen=True)
class Fetched:
    """An image, and where it came from."""

    info: ImageInfo
    """What it is."""
    data: bytes = field(repr=False)
    """Its bytes, inspected."""
    source: str
    """The name of the source that gave them."""


class Fetcher:
    """Every way to an image's bytes.

    Args:
        config: the settings.
    """

    def __init__(self, config: ScopedConfig) -> None:
        self._config = config
        self._downloader = Downloader(
            timeout=config.download_timeout,
            max_size=config.max_image_size,
            mirrors=config.mirrors,
            proxy=config.proxy,
            trusted_hosts=config.trusted_hosts,
        )
        timeout, max_size = config.get_image_timeout, config.max_image_size
        answer = (
            AnswerBase64(max_size),
            AnswerFile(config.path_map, max_size),
            AnswerUrl(self._downloader),
        )
        self._at_hand = (SegmentBase64(max_size), SegmentFile(config.path_map, max_size))
        questions = GetImage(timeout), GetFile(timeout)
        self._ask = (*questions, *answer)
        self._links = (SegmentUrl(self._downloader), FreshKey(self._downloader))
        self._last = (
            GroupFileUrl(self._downloader, timeout),
            FreshMessage(self._downloader, timeout),
            AskAgain(*questions),
            *answer,
        )

    def in_order(self, fetch: Fetch) -> tuple[Source, ...]:
        """Every source, the best for this image first.

        Usually the implementation is asked before the segment's link is tried, for its answer
        survives a dead link. In forwarded records the link has just been made, while some
        implementations cannot find the image
        (https://github.com/NapNeko/NapCatQQ/issues/1777).
        """
        ask_later = fetch.reference.forwarded or (
            fetch.implementation is not None and fetch.implementation.profile.hangs
        )
        first, then = (self._links, self._ask) if ask_later else (self._ask, self._links)
        return (*self._at_hand, *first, *then, *self._last)

    async def fetch(
        self,
        reference: ImageReference,
        find_implementation: Callable[[], Implementation | None],
        reservation: Reservation,
    ) -> tuple[Fetched | None, tuple[Attempt, ...]]:
        """Try the sources in order, until one brings the image the segment describes.

        Bytes of another size than the segment declares are most likely another image of the same
        name, for implementations look it up by name: they are only taken when nothing better comes,
        and not at all when their MD5 contradicts the name as well.

        Args:
            reference: the image.
            find_implementation: gives whom to ask: another one after a reconnect, and None while
                the bot is away.
            reservation: the bytes of memory this fetch may hold.

        Returns:
            The image, or None; and the attempts that failed. It stops in time: see
            ``resolve_timeout``.
        """
        fetch = Fetch(reference, find_implementation, reservation)
        attempts: list[Attempt] = []
        second_best: Fetched | None = None
        with anyio.move_on_after(self._config.resolve_timeout) as deadline:
            for source in self.in_order(fetch):
                started = time.perf_counter()
                try:
                    fetched = await self._try(source, fetch)
                except AttemptFailed as failure:
                    seconds = time.perf_counter() - started
                    attempts.append(Attempt(source.name, failure.cause, failure.detail, seconds))
                    continue
                if fetched is None:
                    continue
                doubt = _doubt(fetch.reference, fetched.info)
                if not doubt:
                    return fetched, tuple(attempts)
                seconds = time.perf_counter() - started
                attempts.append(Attempt(source.name, Cause.REJECTED, doubt, seconds))
                if not (fetch.reference.md5 or fetch.reference.sha256):
                    second_best = second_best or fetched
        if deadline.cancelled_caught:
            limit = self._config.resolve_timeout
            attempts.append(
                Attempt("everything together", Cause.TIMEOUT, f"more than {limit:g} s", limit)
            )
        return second_best, tuple(attempts)

    async def close(self) -> None:
        """Close what the sources hold open."""
        await self._downloader.close()

    async def _try(self, source: Source, fetch: Fetch) -> Fetched | None:
        data = await source.fetch(fetch)
        if data is None:
            return None
        info = await anyio.to_thread.run_sync(self._inspect, data, fetch.reference.md5)
        return Fetched(info, data, source.name)

    def _inspect(self, data: bytes, md5: str) -> ImageInfo:
        return inspect(
            data,
            max_size=self._config.max_image_size,
            max_pixels=self._config.max_pixels,
            max_frames=self._config.max_frames,
            md5=md5,
        )


def _doubt(reference: ImageReference, info: ImageInfo) -> str:
    """Why these bytes are probably not the image that the segment describes; empty if they are.

    A name that is another MD5 alone is no reason: https://github.com/NapNeko/NapCatQQ/issues/458
    """
    if reference.sha256:
        return "" if info.sha256 == reference.sha256 else f"another image: {info.sha256}"
    if info.md5 == reference.md5 or reference.size in (None, info.size):
        return ""
    return f"another image: {info.size} bytes, where the segment says {reference.size}"
