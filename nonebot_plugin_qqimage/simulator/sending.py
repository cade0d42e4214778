"""What a bot sends, understood as QQ would: segments in, parts of a message out."""

import asyncio
import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

import aiohttp

from .cq_code import read_cq_codes
from .flavours.answers import Json, Refused
from .image_host.keys import Kind
from .messages import Message, Other, Part, Picture, Quote, Text
from .pictures import extension, md5_hex

SENDING_ACTIONS = frozenset(
    f"send_{kind}{forward}msg"
    for kind in ("", "group_", "private_")
    for forward in ("", "forward_")
)
"""All actions that send a message."""

MakePicture = Callable[..., Picture]
"""Puts a picture's bytes on the CDN; also takes ``kind`` and ``name``."""


@dataclass(frozen=True)
class Outgoing:
    """A message a bot wants to send."""

    kind: Kind
    target: int
    """The group or the person."""
    parts: list[Part]
    """All its parts; for a forwarded record those of its messages."""
    forwarded: bool
    temporary_group: int | None
    """The group through which it goes to a stranger."""


@dataclass(frozen=True)
class SentMessage:
    """A message the bot sent."""

    action: str
    params: Json
    message: Message

    @property
    def message_id(self) -> int:
        """The id which the bot was told."""
        return self.message.message_id

    @property
    def text(self) -> str:
        """All its text."""
        return "".join(part.text for part in self.message.parts if isinstance(part, Text))

    @property
    def pictures(self) -> list[bytes]:
        """The bytes of all its pictures."""
        return [part.hosted.data for part in self.message.parts if isinstance(part, Picture)]


async def read_outgoing(action: str, params: Json, make_picture: MakePicture) -> Outgoing:
    """Understand the parameters of a call that sends."""
    kind: Kind = "private" if "private" in action else "group"
    if action in ("send_msg", "send_forward_msg"):
        by_target = "group" if params.get("group_id") else "private"
        kind = "group" if params.get("message_type", by_target) == "group" else "private"

    def of_this_kind(data: bytes) -> Picture:
        # The bot's own pictures have lower-case names.
        return make_picture(data, kind=kind, name=f"{md5_hex(data)}.{extension(data)}")

    parts: list[Part] = []
    if "forward" in action:
        for node in params.get("messages", []):
            parts += await _parts(node["data"].get("content", ""), of_this_kind)
    else:
        parts += await _parts(params.get("message"), of_this_kind)
    target = int(params["group_id" if kind == "group" else "user_id"])
    through = params.get("group_id") if kind == "private" else None
    return Outgoing(kind, target, parts, "forward" in action, int(through) if through else None)


async def _parts(content: Any, make_picture: MakePicture) -> list[Part]:
    if isinstance(content, str):
        content = read_cq_codes(content)
    segments = cast(list[Any], content) if isinstance(content, list) else [content]
    return [await _part(segment, make_picture) for segment in segments]


async def _part(segment: Any, make_picture: MakePicture) -> Part:
    try:
        kind, data = str(segment["type"]), dict[str, Any](segment["data"])
    except (KeyError, TypeError, ValueError):
        raise Refused("no segment", "bad request") from None
    if kind == "text":
        return Text(str(data.get("text", "")))
    if kind == "reply":
        return Quote(int(data["id"]))
    if kind == "image":
        file, url = str(data.get("file", "")), str(data.get("url", ""))
        # a received segment is sent again by its link, as long as that lives
        source = file if "://" in file or not url else url
        return replace(make_picture(await _bytes(source)), given=file)
    return Other(kind, data)


async def _bytes(file: str) -> bytes:
    """Get the picture a bot sends: in the call itself, in a file, or at a URL."""
    scheme, _, rest = file.partition("://")
    try:
        if scheme == "base64":
            return base64.b64decode(rest, validate=True)
        if scheme == "file":
            path = Path(url2pathname(urlsplit(file).path))
            return await asyncio.to_thread(path.read_bytes)
        if scheme in ("http", "https"):
            async with aiohttp.ClientSession(raise_for_status=True) as session:
                async with session.get(file) as response:
                    return await response.read()
    except (OSError, aiohttp.ClientError, binascii.Error) as error:
        raise Refused(f"cannot read the picture: {error}") from None
    raise Refused("cannot read the picture: no such kind of file")
