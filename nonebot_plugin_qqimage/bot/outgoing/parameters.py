"""What any call of any action says, so that no URL of this bot leaves it as it is.

Messages are translated before. Here a parameter that takes a picture gets one that the
implementation can use, and any other text the link that its image had, or the public URL where
there is one and that link has died.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

import anyio

from ...errors import QQImageError, StoreError
from ...implementation.answers import is_link
from ...language import say
from ...log import logger
from ...messages.reference import ImageReference
from ...messages.texts.served import ServedText, with_texts
from ...serving.links import Links
from ...serving.mentions import mentions
from ..services import Services
from .substitutes import Form, Meant, Substitutes

_PATIENCE = 30.0
"""Seconds that a call waits for the pictures in its parameters."""
_QUICK = 2.0
"""Seconds that a call waits to learn whether links in its text have died."""
_PICTURES = (
    "file",
    "image",
    "url",
    "path",
    "pic",
    "photo",
    "avatar",
    "file_path",
    "files",
    "images",
)
"""Parameters that may take a picture; a list is one of pictures."""
_TAKES_A_PICTURE = re.compile("avatar|portrait|head|upload|ocr|image|album|face|notice|background")
"""What stands in the names of actions whose ``url`` is a picture, not text."""
_UPLOADS: tuple[Form, ...] = ("path", "base64", "public")
"""go-cqhttp and Lagrange take nothing but paths there; the others take them, too."""
_SUFFIXES = re.compile("_(?:async|rate_limited)$")


class Parameters:
    """Translates the parameters of calls, but for messages.

    Args:
        services: of the bot.
        substitutes: finds what can be sent.
    """

    def __init__(self, services: Services, substitutes: Substitutes) -> None:
        self._links: Links = services.links
        self._store = services.store
        self._pipeline = services.pipeline
        self._implementations = services.implementations
        self._substitutes = substitutes

    async def translate(self, api: str, params: dict[str, Any], bot_id: str, room: int) -> None:
        """Translate the parameters of a call, in place; what is in them is copied, not changed.

        Args:
            api: the action.
            params: its parameters.
            bot_id: the bot that calls it.
            room: characters of base64 that fit into the call.
        """
        action = _SUFFIXES.sub("", api).lstrip("._")
        files: dict[str, str] = {}
        with anyio.move_on_after(_PATIENCE):
            for name in _PICTURES:
                if name in params and (name != "url" or self._takes_url(action, bot_id)):
                    await self._put_picture(action, name, params, room)
            files = await self._files_in(action, params, room)
        links = await self._links_in(params, bot_id)
        if links or files:

            def change(text: str) -> str:
                return files.get(text) or _with_links(text, links)

            changed = with_texts(params, change, encoded=True)
            params.update(cast(dict[str, Any], changed))

    async def _files_in(self, action: str, params: Mapping[str, Any], room: int) -> dict[str, str]:
        """What is sent for each URI of a copy, as in a segment that shares a file."""
        found: dict[str, Meant] = {}

        def look(text: str) -> str:
            if text.startswith("file://") and (meant := self._substitutes.meant(text)) is not None:
                found[text] = meant
            return text

        with_texts(params, look, encoded=True)
        files: dict[str, str] = {}
        for uri, meant in found.items():
            files[uri] = await self._picture(action, meant, room)
            room -= len(files[uri])
        return files

    async def _put_picture(self, action: str, name: str, params: dict[str, Any], room: int) -> None:
        given = cast(object, params[name])
        values = cast(list[object], given) if isinstance(given, list) else [given]
        meant = [self._substitutes.meant(value) for value in values]
        if not any(meant):
            return
        if action.startswith("get_"):  # it asks for what the implementation knows by its own name
            new = [
                # what it stood for is needed once more, where the call fails
                ServedText(own, str(value)) if (own := _name_of(each)) else value
                for each, value in zip(meant, values, strict=True)
            ]
        else:
            new: list[object] = []
            for each, value in zip(meant, values, strict=True):
                picture = "" if each is None else await self._picture(action, each, room)
                room -= len(picture)
                new.append(picture or value)
        params[name] = new if isinstance(given, list) else new[0]
        if action == "download_file" and str(new[0]).startswith("base64://"):
            params["base64"] = str(params.pop(name)).removeprefix("base64://")

    async def _picture(self, action: str, meant: Meant, room: int) -> str:
        """What the action takes in the place of a picture; empty where it cannot be had."""
        try:
            if action.startswith("upload"):
                return await self._substitutes.file(meant, room, _UPLOADS)
            return await self._substitutes.file(meant, room)
        except QQImageError as error:
            logger.warning(
                say(
                    "qqimage: {action} is called with the link as it was received: {trouble}",
                    action=action,
                    trouble=str(error),
                )
            )
            return ""

    def _takes_url(self, action: str, bot_id: str) -> bool:
        """Whether the ``url`` of an action may be a picture itself, and is no text."""
        implementation = self._implementations.find(bot_id)
        if action == "download_file":  # which takes base64, too, but not there
            return implementation is None or implementation.profile.name != "go-cqhttp"
        return _TAKES_A_PICTURE.search(action) is not None

    async def _links_in(self, params: Mapping[str, Any], bot_id: str) -> dict[str, str]:
        """What stands in the place of each served URL in some text from now on, by the URL."""
        found: dict[str, tuple[ImageReference, str]] = {}

        def look(text: str) -> str:
            for mention in mentions(text):
                reference = self._links.open(mention.url)
                if reference is not None:
                    own, kept = reference.url, found.get(mention.url)
                    if isinstance(text, ServedText) and mention.url == text:
                        own = text.original if is_link(text.original) else own
                    found[mention.url] = reference, own or (kept[1] if kept else "")
            return text

        with_texts(params, look, encoded=True)
        links = {url: own or reference.file for url, (reference, own) in found.items()}
        if found and self._substitutes.has_public:
            with anyio.move_on_after(_QUICK):
                for url, (reference, own) in found.items():
                    if not own or await self._is_dead(reference, own, bot_id):
                        links[url] = self._links.url(reference, public=True)
        return links

    async def _is_dead(self, reference: ImageReference, link: str, bot_id: str) -> bool:
        try:
            info = await self._store.find(reference)
        except StoreError as error:
            self._pipeline.store_trouble.log(error)
            info = None
        if info is not None:
            return await self._substitutes.is_dead(link, bot_id, info.sha256)
        return await self._substitutes.is_dead(link, bot_id, None, reference.message_id or "-")


def _name_of(meant: Meant | None) -> str:
    return (meant.file or meant.file_id or meant.url) if isinstance(meant, ImageReference) else ""


def _with_links(text: str, links: Mapping[str, str]) -> str:
    """The text with other links in the place of served URLs, written as these were."""
    parts: list[str] = []
    at = 0
    for mention in mentions(text):
        if mention.url in links:
            whole = mention.url == text
            link = links[mention.url]
            parts += text[at : mention.start], link if whole else mention.write(link)
            at = mention.end
    return "".join([*parts, text[at:]]) if parts else text
