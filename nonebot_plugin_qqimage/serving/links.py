"""Links: from an image reference to its URL, and back."""

from collections import OrderedDict
from pathlib import Path

import anyio.to_thread
from yarl import URL

from ..config import ScopedConfig
from ..errors import QQImageError, mask_keys
from ..messages.reference import ImageReference
from .tokens import Tokens
from .urls import served_url, token_of, without_key

_MAX_KEPT = 4096
_MAX_BYTES = 32 * 1024 * 1024


class Links:
    """Makes URLs and opens them.

    The latest references are remembered with what their tokens leave out, such as a key that lives
    for hours, so that who asks soon gets the image by the URL that came with it.

    Args:
        config: the settings.

    Raises:
        ValueError: one of the two base URLs is none; the message names the setting.
    """

    def __init__(self, config: ScopedConfig) -> None:
        self._base_url = _checked("BASE_URL", config.base_url)
        self._public_url = _checked("PUBLIC_URL", config.public_url)
        self._tokens: Tokens | None = None
        self._served = False
        self._kept: OrderedDict[str, ImageReference] = OrderedDict()
        self._bytes = 0

    @property
    def can_serve(self) -> bool:
        """Whether this bot serves what the URLs name."""
        return self._served

    async def load(self, folder: Path) -> None:
        """Get ready to open URLs.

        Args:
            folder: where the secret is kept that signs their tokens.

        Raises:
            StoreError: it cannot be used.
        """
        self._tokens = await anyio.to_thread.run_sync(Tokens.load, folder)

    def served_at(self, url: str) -> None:
        """Take note that this bot serves them.

        Args:
            url: where it listens, which the settings may know better.
        """
        self._base_url = self._base_url or url
        self._served = True

    def url(self, reference: ImageReference, *, public: bool = False) -> str:
        """The URL under which an image is served. It stays the same, and valid, for ever.

        Args:
            reference: the image, which need not be at hand: it is got when somebody asks.
            public: one for others than the plugins of this bot.

        Raises:
            QQImageError: this bot serves none, or has no public URL.
            ValueError: nothing about the image fits into a URL.
        """
        if self._tokens is None or not self._served:
            raise QQImageError(
                "this bot serves no images: it needs a driver with an HTTP server, such as "
                "DRIVER=~fastapi, and a data folder it can write to"
            )
        if public and not self._public_url:
            raise QQImageError(
                "this bot has no public URL: set QQIMAGE__PUBLIC_URL to how others reach its HTTP "
                "port, such as https://bot.example.com"
            )
        token = self._tokens.seal(reference)
        if reference.content or without_key(reference.url) != reference.url:
            self._keep(token, reference)
        return served_url(self._public_url if public else self._base_url, reference.url, token)

    def open(self, text: str) -> ImageReference | None:
        """What a URL of ours, or the token in one, stands for; None when it is neither."""
        token = token_of(text) or text
        reference = self._kept.get(token)  # none but ours are kept, so one check is enough
        if reference is None and self._tokens is not None:
            reference = self._tokens.open(token)
            if reference is not None:
                self._keep(token, reference)
        return reference

    def opened(self, reference: ImageReference) -> ImageReference:
        """What a reference stands for whose own URL may be one of ours."""
        return self.open(reference.url) or reference

    def _keep(self, token: str, reference: ImageReference) -> None:
        self._bytes += _held(reference) - _held(self._kept.pop(token, None))
        self._kept[token] = reference
        while len(self._kept) > _MAX_KEPT or self._bytes > _MAX_BYTES:
            self._bytes -= _held(self._kept.popitem(last=False)[1])


def _held(reference: ImageReference | None) -> int:
    return 0 if reference is None else reference.held + len(reference.url) + len(reference.file)


def _checked(setting: str, value: str) -> str:
    try:
        url = URL(value)
        usable = url.scheme in ("http", "https") and url.host and not url.query_string
    except ValueError:
        usable = False
    if value and not usable:
        raise ValueError(
            f"QQIMAGE__{setting} is no http(s) URL to put a path after: " + mask_keys(value)
        )
    return value
