"""What the implementation is sent in the place of text that only this bot understands.

Such text is a served URL, which works on this machine only, a ``qqimage:`` URI, or the path of a
file that this bot made for a plugin.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Literal
from urllib.parse import quote

import anyio
import anyio.to_thread
import pybase64

from ...errors import AttemptFailed, Cause, StoreError
from ...fetch.files.files import local_path, read_file
from ...image import Image
from ...language import Text
from ...messages.reference import ImageReference
from ...serving.urls import MAX_URL
from ..services import Services

Form = Literal["base64", "path", "public"]
"""The image itself, a path that the implementation can read, or a URL that works everywhere."""
Meant = ImageReference | Path
"""An image, or a file that a plugin may have changed."""

_MAX_SEEN = 100
"""Sightings of an image among which its link is looked for; one further back is too old anyway."""


class Substitutes:
    """Finds what such text means, and what can be sent instead.

    Args:
        services: of the bot.
    """

    def __init__(self, services: Services) -> None:
        self._config = services.config
        self._links = services.links
        self._resolver = services.resolver
        self._store = services.store
        self._copies = services.store.copies
        self._pipeline = services.pipeline
        self._implementations = services.implementations

    async def is_dead(
        self, link: str, bot_id: str, sha256: str | None, message_id: str | None = None
    ) -> bool:
        """Whether a link of QQ must be dead, by when it first came.

        Args:
            link: the link.
            bot_id: the bot that would send it.
            sha256: of its image; None where that is not known.
            message_id: the message that it came in, where the image is not known.
        """
        try:
            seen = await self._store.sightings(
                sha256=sha256, message_id=message_id, limit=_MAX_SEEN
            )
        except StoreError as error:
            self._pipeline.store_trouble.log(error)
            seen = []
        came = [each.arrived for each in seen if each.reference.url == link]
        return self._pipeline.dead_links.is_dead(
            link, min(came, default=None), lambda: self._implementations.find(bot_id)
        )

    def meant(self, text: object) -> Meant | None:
        """What a text as a whole means; None for any other text."""
        if not isinstance(text, str) or len(text) > MAX_URL:
            return None
        return self._links.referred(text) or self._copy(text)

    def _copy(self, text: str) -> Path | None:
        if self._copies.folder.name not in text:
            return None
        try:
            path = local_path(text, {})
        except ValueError:  # such as file://[
            return None
        return path if path is not None and self._copies.made(path) else None

    async def file(
        self, meant: Meant, room: int, forms: Sequence[Form] = ("base64", "path", "public")
    ) -> str:
        """Text that the implementation can use as a file.

        Args:
            meant: the image or file.
            room: characters of base64 that still fit into the call.
            forms: what is good enough, the best first; a path is a ``file://`` URI unless it is
                the best, for actions that want one take no URI.

        Raises:
            QQImageError: the image cannot be had, or not in any of these forms.
        """
        if isinstance(meant, Path) and not await anyio.Path(meant).exists():
            meant = ImageReference(sha256=meant.name[:64])  # its plugin has moved it
        for form in forms:
            if form == "base64" and (encoded := await self._base64(meant, room)):
                return encoded
            if form == "path":
                path = meant if isinstance(meant, Path) else await self._image(meant).path()
                name = implementations_path(path, self._config.path_map)
                if name:
                    return name if forms[0] == "path" else as_uri(name)
            if form == "public" and isinstance(meant, ImageReference) and self.has_public:
                return self._links.url(meant, public=True)
        raise AttemptFailed(
            Cause.TOO_LARGE,
            Text(
                "{image} is too large for one call. Share the store with the implementation "
                "(QQIMAGE__PATH_MAP), or set QQIMAGE__PUBLIC_URL",
                image=str(meant),
            ),
        )

    @property
    def has_public(self) -> bool:
        """Whether there are URLs that work outside this machine."""
        return bool(self._config.public_url) and self._links.can_serve

    async def _base64(self, meant: Meant, room: int) -> str:
        """The content with its prefix; empty where it does not fit."""
        if isinstance(meant, Path):
            largest = self._config.max_image_size
            data = await read_file(str(meant), {}, largest, size=None, md5="")
        else:
            image = self._image(meant)
            if (await image.info()).size > room // 4 * 3:
                return ""
            data = await image.read()
        encoded = await anyio.to_thread.run_sync(pybase64.b64encode_as_string, data)
        return f"base64://{encoded}" if len(encoded) <= room - len("base64://") else ""

    def _image(self, reference: ImageReference) -> Image:
        return self._resolver.image(reference)

    def prefetch(self, meant: Meant) -> None:
        """Start to get an image in the background."""
        if isinstance(meant, ImageReference):
            self._image(meant).prefetch()


def implementations_path(path: Path, path_map: Mapping[str, str]) -> str:
    """The name under which the implementation can read a file of ours, or empty.

    Args:
        path: the file.
        path_map: the implementation's path prefix → the same folder as we see it; the deepest one
            wins.
    """
    for prefix, folder in sorted(path_map.items(), key=lambda pair: len(pair[1]), reverse=True):
        if path.is_relative_to(folder):
            windows = "\\" in prefix or prefix[1:2] == ":"
            kind = PureWindowsPath if windows else PurePosixPath
            return str(kind(prefix, *path.relative_to(folder).parts))
    return ""


def as_uri(name: str) -> str:
    """The ``file://`` URI of a path of another machine."""
    name = name.replace("\\", "/")
    start = "file:" if name.startswith("//") else "file://" if name[0] == "/" else "file:///"
    return start + quote(name, safe="/:")
