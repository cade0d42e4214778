"""The links of one image, and the keys in them.

Most links of QQ hold a key (``/download?appid=…&fileid=…&rkey=…``) and die with it, but the file
behind them lives much longer: https://github.com/NapNeko/NapCatQQ/issues/101
"""

import re
from urllib.parse import parse_qs, urlsplit

from ..errors import AttemptFailed, Cause
from ..implementation.answers import Kind
from ..language import Text
from .downloader import Downloader
from .reservation import Reservation

_KINDS: dict[str, Kind] = {"1406": "private", "1407": "group"}
"""What a picture was sent to, by the ``appid`` in its URL. Their keys differ."""
_KEY = re.compile(r"([?&]rkey=)[^&]*")


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


def key_of(url: str) -> tuple[Kind, str] | None:
    """The kind of key that a link needs, and the one it has.

    Args:
        url: the link.

    Returns:
        The key is empty where the link has none; None where no key is any use to the link.
    """
    query = _query(url)
    kind = _KINDS.get(query.get("appid", ""))
    return None if kind is None else (kind, query.get("rkey", ""))


def names_another(url: str, other: str) -> bool:
    """Whether two links name different files of the image host, by the ``fileid`` in both."""
    ids = [_query(each).get("fileid") for each in (url, other)]
    return None not in ids and ids[0] != ids[1]


def _query(url: str) -> dict[str, str]:
    """The parameters of a link of the form that has keys; none where it has another form."""
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query) if parts.path == "/download" else {}
    except ValueError:  # a URL that is none, or more parameters than anybody needs
        query = {}
    return {name: values[0] for name, values in query.items()}


def with_key_of(url: str, other: str) -> str:
    """The link with the key of another link, as it is written there."""
    match = _KEY.search(other)
    return with_key(url, match[0].partition("=")[2]) if match else url


def without_key(url: str) -> str:
    """The link without its key."""
    return _KEY.sub("", url)


def with_key(url: str, key: str) -> str:
    """The link with this key instead of its own; nothing else in it changes."""
    replaced, count = _KEY.subn(lambda match: match[1] + key, url)
    return replaced if count else f"{url}&rkey={key}"
