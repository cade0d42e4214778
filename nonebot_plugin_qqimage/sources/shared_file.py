"""Shared files that are images: uploaded to a group, or sent as a file."""

from ..errors import AttemptFailed, Cause
from .download import Downloader
from .source import Fetch
from .urls import UrlSource


class GetFile:
    """The action ``get_file``; like ``get_image``, its answer is for the sources after it.

    Args:
        timeout: seconds to wait for the answer.
    """

    name = "get_file"

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    async def fetch(self, fetch: Fetch) -> None:
        """Keep the peer's answer for the sources after this one."""
        peer, reference = fetch.peer, fetch.reference
        if peer is None or not reference.file_id:
            return
        danger = await peer.would_break(reference.file_id, reference.size)
        if danger:
            raise AttemptFailed(Cause.SKIPPED, danger)
        try:
            fetch.answer = await peer.get_file(
                reference.file_id, self._timeout, size=reference.size
            )
        except AttemptFailed as failure:
            fetch.forgotten = failure.cause is Cause.NOT_FOUND
            raise


class GroupFileUrl(UrlSource):
    """The action ``get_group_file_url``, and the download of what it answers.

    Args:
        downloader: downloads it.
        timeout: seconds to wait for the answer.
    """

    name = "get_group_file_url"

    def __init__(self, downloader: Downloader, timeout: float) -> None:
        super().__init__(downloader)
        self._timeout = timeout

    async def _url(self, fetch: Fetch) -> str:
        peer, reference = fetch.peer, fetch.reference
        if peer is None or not reference.file_id or not reference.group_id:
            return ""
        return await peer.get_group_file_url(reference.group_id, reference.file_id, self._timeout)
