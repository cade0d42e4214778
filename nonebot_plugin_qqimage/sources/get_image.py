"""Asks the peer with ``get_image``. The answer holds no bytes yet: the next sources use it."""

from .source import Fetch


class GetImage:
    """The action ``get_image``, called once for each image.

    Args:
        timeout: seconds to wait for the answer.
    """

    name = "get_image"

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    async def fetch(self, fetch: Fetch) -> None:
        """Keep the peer's answer for the sources after this one."""
        if fetch.peer is not None and fetch.reference.file:
            fetch.answer = await fetch.peer.get_image(fetch.reference.file, self._timeout)
