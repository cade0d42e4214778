"""The links of one image, each tried once."""

from ..errors import AttemptFailed, Cause
from ..language import Text
from ..messages.names.link_key import key_of
from .http.downloader import Downloader
from .reservation import Reservation


class Links:
    """Downloads the links of one image.

    Args:
        downloader: downloads them.
        reservation: the bytes of memory that may be held for the image.
    """

    def __init__(self, downloader: Downloader, reservation: Reservation) -> None:
        self.expired = ""
        """The last link whose key was refused."""
        self.opened = ""
        """The last link that brought bytes."""
        self._downloader = downloader
        self._reservation = reservation
        self._tried: set[str] = set()

    async def download(self, url: str, *, again: bool = False) -> bytes | None:
        """The bytes behind a link; None where there is no link, or it was tried before.

        Args:
            url: the link, or an empty string.
            again: whether to try it even though it was tried before.

        Raises:
            AttemptFailed: they cannot be downloaded.
        """
        if not url or (url in self._tried and not again):
            return None
        self._tried.add(url)
        needed = key_of(url)
        if needed is not None and not needed[1]:
            # SnowLuma writes such links while it cannot get a key; the host refuses them
            self.expired = url
            raise AttemptFailed(Cause.EXPIRED, Text("the link has no key"))
        try:
            data = await self._downloader.get(url, self._reservation)
        except AttemptFailed as failure:
            if failure.cause is Cause.EXPIRED:
                self.expired = url
            raise
        self.opened = url
        return data
