"""What the bot sends, translated into what the implementation understands.

Served URLs work on this machine only, and only this plugin knows ``qqimage:`` URIs. An image
segment with one of them, received a moment or a year ago, is sent as base64, as a file that the
implementation can read, or by the public URL. So is one with a link of QQ that must be dead by now,
where the picture is stored; a link that lives is left alone. Segments are changed in a copy, never
in the message that the sending plugin holds.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, cast
from urllib.parse import quote

import anyio
from nonebot.adapters.onebot.v11 import Message, MessageSegment

from ..content.info import ImageInfo
from ..errors import AttemptFailed, Cause, QQImageError
from ..image import Image
from ..language import Text, say
from ..log import logger
from ..messages.contents import segments_of
from ..messages.reader import Found, Reader, found_in
from ..messages.reference import ImageReference
from ..messages.segments import ORIGINALS, originals
from ..serving.urls import MAX_URL, token_of
from .services import Services

_MAX_INLINE = 32 * 1024 * 1024
"""Bytes of base64 in one call: NapCat refuses a frame of 50 MB, the others have no known limit."""
_PATIENCE = 30.0
"""Seconds that a call waits for the images in it."""
_MAX_SEEN = 100
"""Sightings of an image among which its link is looked for; one further back is too old anyway."""
_MARKS = re.compile("qqimage|url=|=http")
"""What stands in CQ codes of ours, and in those with a link."""
_MAX_LOOKED_AT = 10_000
"""Equals signs in a text that are looked at."""
_WORD = 24
"""Characters on either side of one."""
_OF_THE_RECEIVED = ("url", "path", "file_id", "file_unique", "file_size")
"""Fields about the image as received; implementations prefer some of them to ``file``."""


class Outgoing:
    """Translates what is sent.

    Args:
        services: of the bot.
    """

    def __init__(self, services: Services) -> None:
        self._config = services.config
        self._links = services.links
        self._resolver = services.resolver
        self._store = services.store
        self._pipeline = services.pipeline
        self._implementations = services.implementations

    async def translate(self, params: dict[str, Any], bot_id: str = "") -> None:
        """Translate the message in the parameters of a call, in place.

        First each image gets the values that the implementation itself gave it. Then each is
        replaced by its content as soon as that is there. An image that does not come in time keeps
        those values, and the log says so.

        Args:
            params: the parameters; a message in them is replaced by a copy, and not changed itself.
            bot_id: the bot that sends it.
        """
        waiting: list[_Waiting] = []
        for name in ("message", "messages"):
            content = params.get(name)
            if isinstance(content, str) and (params.get("auto_escape") or _has_none(content)):
                continue  # plain text, or no image in it that could be ours or dead
            healed = await self._healed(content, bot_id)
            if healed:
                content = params[name] = _own_copy(content)
                for number, found in enumerate(_images_of(content)):
                    if number in healed:
                        _forget_the_received(found.data)
                        found.data["file"] = healed[number]
            if any(self._is_ours(found) for found in _images_of(content)):
                params[name] = _own_copy(content)
                waiting += self._without_ours(params[name])
        if waiting:
            await self._put_in(waiting)

    async def _healed(self, content: object, bot_id: str) -> dict[int, str]:
        """A ``file`` for each stored image whose link must be dead, by its number in a message."""
        healed: dict[int, str] = {}
        with anyio.move_on_after(_PATIENCE):
            room = _MAX_INLINE
            for number, found in enumerate(_images_of(content)):
                reference = replace(found.reference, self_id=bot_id)
                if found.kind != "image" or not _is_received(found) or self._is_ours(found):
                    continue
                try:
                    info = await self._store.find(reference)
                    if info is not None and await self._is_dead(reference, info, bot_id):
                        image = self._resolver.image(replace(reference, sha256=info.sha256))
                        healed[number] = await self._usable(image, room)
                        room -= len(healed[number])
                except QQImageError as error:
                    logger.warning(
                        say(
                            "qqimage: a stored image is sent with a link that is probably dead: "
                            "{trouble}",
                            trouble=str(error),
                        )
                    )
        return healed

    async def _is_dead(self, reference: ImageReference, info: ImageInfo, bot_id: str) -> bool:
        seen = await self._store.sightings(sha256=info.sha256, limit=_MAX_SEEN)
        came = [each.arrived for each in seen if each.reference.url == reference.url]
        return self._pipeline.dead_links.is_dead(
            reference.url, min(came, default=None), lambda: self._implementations.find(bot_id)
        )

    def _is_ours(self, found: Found) -> bool:
        return (
            not found.data.keys().isdisjoint(ORIGINALS.values())
            or self._meant(found, "file") is not None
            or self._meant(found, "url") is not None
        )

    def _meant(self, found: Found, field: str) -> ImageReference | None:
        """The image that a field means by a served URL or a ``qqimage:`` URI; else None."""
        value = found.data.get(field)
        if not isinstance(value, str):
            return None
        reference = self._links.referred(value)
        if reference is None and token_of(value) and ORIGINALS[field] in found.data:
            return found.reference  # made from the originals, where the token is damaged
        return reference

    def _without_ours(self, content: object) -> "Iterator[_Waiting]":
        """Give each image the implementation's own values; yields those whose content is sent."""
        for found in _images_of(content):
            if not self._is_ours(found):
                continue
            data = found.data
            in_file, in_url = self._meant(found, "file"), self._meant(found, "url")
            before = originals(data)
            for kept in ORIGINALS.values():
                data.pop(kept, None)
            if in_url and not in_file and _is_content(data.get("file")):
                _forget_the_received(data)  # the plugin has put another image into it
                continue
            if in_url:
                data["url"] = _own(before, "url") or in_url.url
            if in_file:
                own = _own(before, "file") or in_file.file or in_file.url
                data["file"] = own or data["file"]
            reference = in_file or in_url
            if reference and found.kind == "image":  # a market face cannot be sent as a picture
                yield reference, data

    async def _put_in(self, waiting: "list[_Waiting]") -> None:
        images = [self._resolver.image(reference) for reference, _ in waiting]
        for image in images:
            image.prefetch()
        room, done, troubles = _MAX_INLINE, 0, list[str]()
        with anyio.move_on_after(_PATIENCE):
            for image, (_, data) in zip(images, waiting, strict=True):
                try:
                    file = await self._usable(image, room)
                except QQImageError as error:
                    troubles.append(str(error))
                else:
                    room -= len(file)
                    _forget_the_received(data)
                    data["file"] = file
                done += 1
        troubles += [
            say(
                "{image}: not there within {seconds:g} s",
                image=str(image.reference),
                seconds=_PATIENCE,
            )
            for image in images[done:]
        ]
        if troubles:
            logger.warning(
                say(
                    "qqimage: {count} of the {all} images in a message are sent as they were "
                    "received: {trouble}",
                    count=len(troubles),
                    all=len(images),
                    trouble=troubles[0],
                )
            )

    async def _usable(self, image: Image, room: int) -> str:
        """A ``file`` that the implementation can use.

        Args:
            image: the image.
            room: characters of base64 that still fit into the call.
        """
        info = await image.info()
        if (info.size + 2) // 3 * 4 <= room - len("base64://"):
            return (await image.segment()).data["file"]
        uri = implementations_uri(await image.path(), self._config.path_map)
        if uri:
            return uri
        if self._config.public_url and self._links.can_serve:
            return self._links.url(image.reference, public=True)
        raise AttemptFailed(
            Cause.TOO_LARGE,
            Text(
                "{image} has {size} bytes, too many for one call. Share the store with the "
                "implementation (QQIMAGE__PATH_MAP), or set QQIMAGE__PUBLIC_URL",
                image=str(image.reference),
                size=info.size,
            ),
        )


def _own(before: Mapping[str, Any], field: str) -> object:
    """The implementation's own value of a field, where anybody remembers it."""
    value = before.get(field)
    return "" if isinstance(value, str) and token_of(value) else value


def _is_received(found: Found) -> bool:
    """Whether a segment has a link, and nothing that a plugin has put in its place."""
    file = found.data.get("file")
    return bool(found.reference.url) and (
        not _is_content(file) or file == found.data.get("url") or not found.data.get("url")
    )


def _own_copy(content: Any) -> Any:
    return Message(content) if isinstance(content, str) else _copied(content)


_Waiting = tuple[ImageReference, dict[str, Any]]
"""An image to be put in, and the data of its segment in the copy that is sent."""


def _has_none(content: str) -> bool:
    """Whether a text has nothing of ours, and no link of an image, for sure.

    In 10 MB of base64 a character is found fast, and words are not: a served URL, a ``qqimage:``
    URI, the names of the fields that are ours, and links stand beside an equals sign.
    """
    if len(content) <= MAX_URL:
        return not _MARKS.search(content)
    at = -1
    for _ in range(_MAX_LOOKED_AT):
        at = content.find("=", at + 1)
        if at < 0:
            return True
        if _MARKS.search(content, max(at - _WORD, 0), at + _WORD):
            return False
    return False


def _images_of(content: object) -> Iterator[Found]:
    reader = Reader(limited=False, keep_codes=False)
    if isinstance(content, str):  # only looked at: what is changed is a copy, and no text any more
        content = segments_of(content, brief=True)
    return (each for each in found_in(reader.message(content, "")) if each.kind != "file")


def _copied(value: object) -> Any:
    """A copy that shares no segment, list or mapping with the original, nor within itself."""
    if isinstance(value, MessageSegment):
        return type(value)(value.type, _copied(value.data))
    if isinstance(value, list):
        items = [_copied(item) for item in cast(list[object], value)]
        return Message(items) if isinstance(value, Message) else items
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, object], value)
        return {name: _copied(item) for name, item in fields.items()}
    return value


def _forget_the_received(data: dict[str, Any]) -> None:
    for name in _OF_THE_RECEIVED:
        data.pop(name, None)


def implementations_uri(path: Path, path_map: Mapping[str, str]) -> str:
    """The ``file://`` URI under which the implementation can read a file of ours, or empty.

    Args:
        path: the file.
        path_map: the implementation's path prefix → the same folder as we see it; the deepest one
            wins.
    """
    for prefix, folder in sorted(path_map.items(), key=lambda pair: len(pair[1]), reverse=True):
        if not path.is_relative_to(folder):
            continue
        windows = "\\" in prefix or prefix[1:2] == ":"
        kind = PureWindowsPath if windows else PurePosixPath
        name = kind(prefix, *path.relative_to(folder).parts).as_posix()
        start = "file:" if name.startswith("//") else "file://" if name[0] == "/" else "file:///"
        return start + quote(name, safe="/:")
    return ""


def _is_content(file: object) -> bool:
    return isinstance(file, str) and file.startswith(("base64://", "data:", "file://", "http"))
