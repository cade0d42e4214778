"""What the bot sends, put into words that the implementation understands.

Our URLs reach this bot alone, and ``qqimage:`` URIs nobody else knows. An image segment that
carries one, received a moment or a year ago, is sent as base64, as a file that the implementation
can read, or by the public URL. What the plugin itself holds is never changed, only what goes out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, cast
from urllib.parse import quote

import anyio
from nonebot.adapters.onebot.v11 import Message, MessageSegment
from nonebot.log import logger

from ..errors import AttemptFailed, Cause, QQImageError
from ..image import Image
from ..messages.reference import ORIGINALS, ImageReference, from_segment, parts_of
from ..serving.links import Links
from ..serving.urls import token_of
from .rewriting import referred
from .services import Services

_MAX_INLINE = 32 * 1024 * 1024
"""Bytes of base64 in one call: NapCat refuses a frame of 50 MB, the others have no known limit."""
_PATIENCE = 30.0
"""Seconds that a call waits for the images in it."""
_MAX_DEPTH = 8
_OF_THE_RECEIVED = ("url", "path", "file_id", "file_unique", "file_size")
"""Fields that speak of the image as received; implementations prefer some of them to ``file``."""


class Outgoing:
    """Translates what is sent.

    Args:
        services: of the bot.
    """

    def __init__(self, services: Services) -> None:
        self._config = services.config
        self._links = services.links
        self._resolver = services.resolver

    async def translate(self, params: dict[str, Any]) -> None:
        """Translate the message in the parameters of a call, in place.

        At once, each image becomes what the implementation itself had said of it; then, as it is
        got, its content. One that cannot be had in time is left at that, and the log says so.
        """
        copy = _Copy(self._links)
        for name in ("message", "messages"):
            plain_text = params.get("auto_escape") and isinstance(params.get(name), str)
            if name in params and not plain_text:
                params[name] = copy.content(params[name])
        if copy.found:
            await self._put_in(copy.found)

    async def _put_in(self, found: "list[_Found]") -> None:
        images = [self._resolver.image(one.reference) for one in found]
        for image in images:
            image.prefetch()
        room, troubles = _MAX_INLINE, list[str]()
        waiting = list(zip(found, images, strict=True))
        with anyio.move_on_after(_PATIENCE):
            while waiting:
                one, image = waiting[0]
                try:
                    file = await self._usable(image, room)
                except QQImageError as error:
                    troubles.append(str(error))
                else:
                    room -= len(file)
                    for name in _OF_THE_RECEIVED:
                        one.data.pop(name, None)
                    one.data["file"] = file
                del waiting[0]
        for _, image in waiting:
            troubles.append(f"{image.reference}: not there within {_PATIENCE:g} s")
        if troubles:
            logger.warning(
                f"qqimage: {len(troubles)} of the {len(found)} images in a message are sent as "
                f"they were received: {troubles[0]}"
            )

    async def _usable(self, image: Image, room: int) -> str:
        """What the implementation can use as the ``file`` of a segment."""
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
            f"{image.reference} has {info.size} bytes, too many for one call. Share the store with "
            "the implementation (QQIMAGE__PATH_MAP), or set QQIMAGE__PUBLIC_URL",
        )


@dataclass
class _Found:
    """One image to be put in."""

    reference: ImageReference
    data: dict[str, Any]
    """The data of its segment, in the copy that is sent."""


@dataclass
class _Copy:
    """A message without anything of ours, and the images to be put in."""

    links: Links
    found: list[_Found] = field(default_factory=list[_Found])
    touched: int = 0
    """Segments that are not as the plugin wrote them."""

    def content(self, content: object, depth: int = 0) -> object:
        """A message's content without anything of ours; the very same where there is nothing.

        Args:
            content: a message, segments, a segment, or CQ codes.
            depth: how many messages it stands in.
        """
        if depth > _MAX_DEPTH:
            return content
        before: int = self.touched
        copy: object = content
        if isinstance(content, str):
            if "qqimage" in content:
                copy = Message(self._segment(segment, depth) for segment in Message(content))
        elif isinstance(content, list):
            segments = [self._segment(segment, depth) for segment in cast(list[Any], content)]
            copy = Message(segments) if isinstance(content, Message) else segments
        else:
            copy = self._segment(content, depth)
        return cast(object, content) if self.touched == before else copy

    def _segment(self, segment: object, depth: int) -> Any:
        kind, data = parts_of(segment)
        if kind == "node" and "content" in data:
            content = self.content(data["content"], depth + 1)
            if content is data["content"]:
                return segment
            return _with_data(segment, {**data, "content": content})
        if kind not in ("image", "mface"):
            return segment
        in_file, in_url = (self._reference(segment, data, name) for name in ("file", "url"))
        if not in_file and not in_url and data.keys().isdisjoint(ORIGINALS.values()):
            return segment
        self.touched += 1
        copy = {name: value for name, value in data.items() if name not in ORIGINALS.values()}
        if in_url and not in_file and _is_content(data.get("file")):
            for name in _OF_THE_RECEIVED:  # the plugin has put another image into it
                copy.pop(name, None)
            return _with_data(segment, copy)
        if in_url:
            copy["url"] = data.get(ORIGINALS["url"]) or in_url.url
        if in_file:
            copy["file"] = (
                data.get(ORIGINALS["file"]) or in_file.file or in_file.url or copy["file"]
            )
        reference = in_file or in_url
        if reference and kind == "image":  # a market face cannot be sent as a picture
            self.found.append(_Found(reference, copy))
        return _with_data(segment, copy)

    def _reference(
        self, segment: object, data: Mapping[str, Any], name: str
    ) -> ImageReference | None:
        """The image that a field of ours stands for; None when it is none of ours."""
        value = data.get(name)
        if not isinstance(value, str):
            return None
        reference = referred(value, self.links)
        if reference is None and token_of(value) and ORIGINALS[name] in data:
            return from_segment(segment)  # by its originals, where the token is damaged
        return reference


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


def _with_data(segment: object, data: dict[str, Any]) -> Any:
    if isinstance(segment, MessageSegment):
        return type(segment)(segment.type, data)
    return {**cast(Mapping[str, Any], segment), "data": data}
