"""A URL whose key has died, with a fresh key from the implementation.

The file behind it lives much longer than any key:
https://github.com/NapNeko/NapCatQQ/issues/101
"""

import re
from urllib.parse import parse_qs, urlsplit

from ..errors import AttemptFailed, Cause
from ..implementation.answers import Kind
from .source import Fetch
from .urls import UrlSource

_KINDS: dict[str, Kind] = {"1406": "private", "1407": "group"}
"""What a picture was sent to, by the ``appid`` in its URL. Their keys differ."""
_KEY = re.compile(r"([?&]rkey=)[^&]*")
_TRIES = 2
"""A key we had may turn out to be dead; the one got in its place is the last hope."""


class FreshKey(UrlSource):
    """``/download?appid=…&fileid=…`` with another ``rkey``, if a key was what was wrong with it."""

    name = "url with a fresh key"

    async def fetch(self, fetch: Fetch) -> bytes | None:
        """Get a key and download the last URL that was refused."""
        for last in reversed(range(_TRIES)):
            url = await self._url(fetch)
            if not url:
                return None
            try:
                return await self._download(fetch, url)
            except AttemptFailed as failure:
                if last == 0 or failure.cause is not Cause.EXPIRED:
                    raise
        return None

    async def _url(self, fetch: Fetch) -> str:
        parts = urlsplit(fetch.expired)
        query = parse_qs(parts.query)
        kind = _KINDS.get(query.get("appid", [""])[0])
        if parts.path != "/download" or kind is None or fetch.implementation is None:
            return ""
        key = await fetch.implementation.fresh_key(kind, query.get("rkey", [""])[0])
        if key is None:
            raise AttemptFailed(Cause.EXPIRED, "the implementation has no fresher key")
        return with_key(fetch.expired, key)


def with_key(url: str, key: str) -> str:
    """The URL with this key instead of its own; nothing else in it changes."""
    replaced, count = _KEY.subn(lambda match: match[1] + key, url)
    return replaced if count else f"{url}&rkey={key}"
