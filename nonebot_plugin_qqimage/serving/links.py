"""Links: from an image reference to its URL, and back."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import anyio.to_thread
from cachetools import LRUCache

from ..config import ScopedConfig
from ..errors import QQImageError, StoreError
from ..language import Text
from ..messages.names.link_key import without_key
from ..messages.reference import ImageReference, from_uri
from ..settings.values import base_url
from ..threads import DaemonThreads
from . import shared_secret
from .tokens import Tokens
from .urls import MAX_URL, served_url, token_of

_MAX_KEPT = 32 * 1024 * 1024
"""Bytes of the references that are remembered."""
_LOAD_TIMEOUT = 10.0
"""Seconds for reading the secret; a network drive that is gone would keep the bot from starting."""
_OVERHEAD = 8 * 1024
"""Bytes that each of them counts beside its text, so that there are 4096 of them at most."""


class Links:
    """Makes URLs and opens them.

    The latest references are remembered with what their tokens leave out: where each stands, and
    the key in its link. That is valid for hours, so an image that is asked for soon can be had by
    that link. Any thread may open URLs.

    Args:
        config: the settings.

    Raises:
        ValueError: a setting is no base URL; the message names it.
    """

    def __init__(self, config: ScopedConfig) -> None:
        self._base_url = base_url("base_url", config.base_url)
        self._public_url = base_url("public_url", config.public_url)
        self._tokens: Tokens | None = None
        self._local: Tokens | None = None
        self._older: Sequence[Tokens] = ()
        self._served = False
        self._kept: LRUCache[str, ImageReference] = LRUCache(_MAX_KEPT, getsizeof=_held)
        self._keeping = threading.Lock()  # the server of our own opens tokens in its thread

    @property
    def can_serve(self) -> bool:
        """Whether this bot serves what the URLs name."""
        return self._served

    async def load(self, folder: Path) -> None:
        """Load the secret that signs the tokens in URLs; until then none can be opened.

        Args:
            folder: where the secret is kept.

        Raises:
            StoreError: the secret cannot be used.
        """
        loading = asyncio.get_running_loop().run_in_executor(
            DaemonThreads(1, "qqimage-secret"),
            lambda: (Tokens.load(folder), shared_secret.remembered(folder)),
        )
        try:
            self._local, shared = await asyncio.wait_for(loading, _LOAD_TIMEOUT)
            self._use(shared)
        except asyncio.TimeoutError:
            text = Text("{folder} does not answer", folder=folder)
            raise StoreError(text) from None

    async def share(self, folder: Path, agree: Callable[[bytes], Awaitable[bytes | None]]) -> bool:
        """Sign with the secret that all hosts of a shared store have in common from now on.

        URLs that were signed with this host's own secret can still be opened here.

        Args:
            folder: where the secret is kept.
            agree: gives the common secret, and is told this host's own for where there is none;
                None where nobody answers.

        Returns:
            Whether it is known now.
        """
        if self._local is None:
            return False
        secret = await agree(self._local.secret)
        if secret is None or len(secret) != len(self._local.secret):
            return False
        try:
            known = await anyio.to_thread.run_sync(shared_secret.remember, folder, secret)
        except OSError:  # it can be asked for again
            known = [secret]
        self._use(known)
        return True

    def _use(self, shared: Sequence[bytes]) -> None:
        assert self._local is not None
        self._tokens, *self._older = (*map(Tokens, shared), self._local)

    def served_at(self, url: str) -> None:
        """Take note that this bot serves images.

        Args:
            url: where it listens; the setting ``QQIMAGE__BASE_URL`` goes before it.
        """
        self._base_url = self._base_url or url
        self._served = True

    def url(self, reference: ImageReference, *, public: bool = False) -> str:
        """The URL under which an image is served. It never changes and never expires.

        Args:
            reference: the image; it is fetched when somebody asks for the URL.
            public: whether to make a URL that works outside this machine.

        Raises:
            QQImageError: this bot serves none, or has no public URL.
            ValueError: nothing about the image fits into a URL.
        """
        if self._tokens is None or not self._served:
            raise QQImageError(
                Text(
                    "this bot serves no images: it needs a data folder it can write to, and a port "
                    "to listen at (QQIMAGE__LISTEN) or a driver with an HTTP server, such as "
                    "DRIVER=~fastapi; the log of its start says what is wrong"
                )
            )
        if public and not self._public_url:
            raise QQImageError(
                Text(
                    "this bot has no public URL: set QQIMAGE__PUBLIC_URL to how others reach its "
                    "HTTP port, such as https://bot.example.com"
                )
            )
        token = self._tokens.seal(reference)
        self._keep(token, reference)
        return served_url(self._public_url if public else self._base_url, reference.url, token)

    def open(self, text: str) -> ImageReference | None:
        """The image that a served URL, or the token of one, stands for; None for any other text."""
        if len(text) > MAX_URL:
            return None
        token = token_of(text) or text
        with self._keeping:
            # what is kept was signed by this bot, so it need not be checked
            reference = self._kept.get(token)
        if reference is None and self._tokens is not None:
            opened = (each.open(token) for each in (self._tokens, *self._older))
            reference = next((each for each in opened if each is not None), None)
            if reference is not None:
                self._keep(token, reference)
        return reference

    def referred(self, text: str) -> ImageReference | None:
        """The image that a served URL or a ``qqimage:`` URI stands for; None for any other text."""
        if text.startswith("qqimage:"):
            with contextlib.suppress(ValueError):
                return from_uri(text)
            return None
        return self.open(text)

    def opened(self, reference: ImageReference) -> ImageReference:
        """The reference itself, or what its URL stands for where that is a served URL."""
        return self.open(reference.url) or reference

    def _keep(self, token: str, reference: ImageReference) -> None:
        # a ValueError: larger than all that may be kept
        with contextlib.suppress(ValueError), self._keeping:
            if (
                token not in self._kept
                or reference.content
                or without_key(reference.url) != reference.url
            ):
                self._kept[token] = reference


def _held(reference: ImageReference) -> int:
    return _OVERHEAD + reference.held + len(reference.url) + len(reference.file)
