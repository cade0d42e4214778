"""The URLs an image can be downloaded from: that in an answer, and the segment's own."""

from ..errors import AttemptFailed, Cause
from .download import Downloader
from .source import Fetch


class UrlSource:
    """A URL, wherever it comes from.

    Args:
        downloader: downloads it.
    """

    name = "url"

    def __init__(self, downloader: Downloader) -> None:
        self._downloader = downloader

    async def fetch(self, fetch: Fetch) -> bytes | None:
        """Download it, unless it was tried already."""
        url = await self._url(fetch)
        return await self._download(fetch, url) if url and url not in fetch.tried else None

    async def _url(self, fetch: Fetch) -> str:
        raise NotImplementedError

    async def _download(self, fetch: Fetch, url: str) -> bytes:
        fetch.tried.add(url)
        try:
            return await self._downloader.get(url, fetch.reservation)
        except AttemptFailed as failure:
            if failure.cause is Cause.EXPIRED:
                fetch.expired = url
            raise


class AnswerUrl(UrlSource):
    """``url`` in the answer of ``get_image``, usually with a fresher key than the segment's."""

    name = "url in the answer"

    async def _url(self, fetch: Fetch) -> str:
        return fetch.take("url")


class SegmentUrl(UrlSource):
    """``url`` in the segment itself."""

    name = "url of the segment"

    async def _url(self, fetch: Fetch) -> str:
        return fetch.reference.url


class AskedUrl(UrlSource):
    """A URL that the implementation has to be asked for.

    Args:
        downloader: downloads it.
        timeout: seconds to wait for the answer.
    """

    def __init__(self, downloader: Downloader, timeout: float) -> None:
        super().__init__(downloader)
        self._timeout = timeout
