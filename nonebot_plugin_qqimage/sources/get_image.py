"""Asks the peer. Its answer holds no bytes yet: the sources after these use it."""

from ..errors import AttemptFailed, Cause
from .source import Fetch


class GetImage:
    """The action ``get_image``.

    Args:
        timeout: seconds to wait for the answer.
    """

    name = "get_image"

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    async def fetch(self, fetch: Fetch) -> None:
        """Keep the peer's answer for the sources after this one.

        Raises:
            AttemptFailed: it refused, or asking it could break the bot's connection.
        """
        peer, reference = fetch.peer, fetch.reference
        if not reference.file or reference.file_id:
            return
        if peer is None:
            raise AttemptFailed(Cause.UNREACHABLE, "the bot is not connected")
        danger = await peer.would_break(reference.file, reference.size)
        if danger:
            raise AttemptFailed(Cause.SKIPPED, danger)
        # each download leaves a file at the peer that nobody deletes, so none where it is no use
        download = not (peer.profile.files_are_foreign and await peer.can_skip_download())
        try:
            fetch.answer = await peer.get_image(
                reference.file, self._timeout, size=reference.size, download=download
            )
            fetch.spared = not download
        except AttemptFailed as failure:
            fetch.forgotten = failure.cause is Cause.NOT_FOUND
            raise
