"""The URLs an image can be downloaded from: the peer's answer's, and the segment's own."""

from .download import Downloader
from .source import Fetch


class AnswerUrl:
    """``url`` in the answer of ``get_image``, usually with a fresher key than the segment's."""

    name = "url in the answer"

    def __init__(self, downloader: Downloader) -> None:
        self._downloader = downloader

    async def fetch(self, fetch: Fetch) -> bytes | None:
        """Download it, unless it is the segment's."""
        if fetch.answer is None or fetch.answer.url in ("", fetch.reference.url):
            return None
        return await self._downloader.get(fetch.answer.url, fetch.reservation)


class SegmentUrl:
    """``url`` in the segment itself."""

    name = "url of the segment"

    def __init__(self, downloader: Downloader) -> None:
        self._downloader = downloader

    async def fetch(self, fetch: Fetch) -> bytes | None:
        """Download it."""
        if not fetch.reference.url:
            return None
        return await self._downloader.get(fetch.reference.url, fetch.reservation)
