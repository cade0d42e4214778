"""What the bot sends, translated into what the implementation understands: its messages here.

An image segment with a served URL or a ``qqimage:`` URI, received a moment or a year ago, is sent
as base64, as a file that the implementation can read, or by the public URL. So is one with a link
of QQ that must be dead by now, where the picture is stored; a link that lives is left alone.
Segments are changed in a copy, never in the message that the sending plugin holds.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import anyio
from nonebot.adapters.onebot.v11 import Message, MessageSegment

from ...errors import QQImageError
from ...language import say
from ...log import logger
from ...messages.contents import segments_of
from ...messages.reader import Found, Reader, found_in
from ...messages.reference import ImageReference
from ...messages.segments import ORIGINALS, originals
from ...serving.urls import MAX_URL, token_of
from ..services import Services
from .parameters import Parameters
from .substitutes import Meant, Substitutes

_MAX_INLINE = 32 * 1024 * 1024
"""Bytes of base64 in one call: NapCat refuses a frame of 50 MB, the others have no known limit."""
_PATIENCE = 30.0
"""Seconds that a call waits for the images in it."""
_MARKS = re.compile("qqimage|url=|=http|file=")
"""What stands in CQ codes of ours, and in those with a link or a path."""
_MAX_LOOKED_AT = 10_000
"""Equals signs in a text that are looked at."""
_WORD = 24
"""Characters on either side of one."""
_OF_THE_RECEIVED = ("url", "path", "file_id", "file_unique", "file_size")
"""Fields about the image as received; implementations prefer some of them to ``file``."""
_MESSAGES = ("message", "messages")
"""Parameters that hold messages."""


class Outgoing:
    """Translates what is sent.

    Args:
        services: of the bot.
    """

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._substitutes = Substitutes(services)
        self._parameters = Parameters(services, self._substitutes)

    async def translate(
        self, params: dict[str, Any], bot_id: str = "", api: str = "send_msg"
    ) -> None:
        """Translate the parameters of a call, in place.

        First each image in a message gets the values that the implementation itself gave it. Then
        each is replaced by its content as soon as that is there. An image that does not come in
        time keeps those values, and the log says so. Everything else that the call says follows.

        Args:
            params: the parameters; what is in them is replaced by a copy, and not changed itself.
            bot_id: the bot that calls.
            api: the action.
        """
        waiting: list[_Waiting] = []
        for holder, name in _messages_in(params):
            content = holder.get(name)
            if isinstance(content, str) and (holder.get("auto_escape") or _has_none(content)):
                continue  # plain text, or no image in it that could be ours or dead
            healed = await self._healed(content, bot_id)
            if healed:
                content = holder[name] = _own_copy(content)
                for number, found in enumerate(_images_of(content)):
                    if number in healed:
                        _forget_the_received(found.data)
                        found.data["file"] = healed[number]
            if any(self._is_ours(found) for found in _images_of(content)):
                holder[name] = _own_copy(content)
                waiting += self._without_ours(holder[name])
        if waiting:
            await self._put_in(waiting)
        await self._parameters.translate(api, params, bot_id, _MAX_INLINE)

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
                    if info is not None and await self._substitutes.is_dead(
                        reference.url, bot_id, info.sha256
                    ):
                        known = replace(reference, sha256=info.sha256)
                        healed[number] = await self._substitutes.file(known, room)
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

    def _is_ours(self, found: Found) -> bool:
        return (
            not found.data.keys().isdisjoint(ORIGINALS.values())
            or self._meant(found, "file") is not None
            or self._meant(found, "url") is not None
        )

    def _meant(self, found: Found, field: str) -> Meant | None:
        """What a field means that only this bot understands; else None."""
        meant = self._substitutes.meant(found.data.get(field))
        if (
            meant is None
            and token_of(str(found.data.get(field)))
            and ORIGINALS[field] in found.data
        ):
            return found.reference  # made from the originals, where the token is damaged
        return meant

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
                data["url"] = _own(before, "url") or _said(in_url, "url")
            if in_file:
                own = _own(before, "file") or _said(in_file, "file") or _said(in_file, "url")
                data["file"] = own or data["file"]
            meant = in_file or in_url
            if meant and found.kind == "image":  # a market face cannot be sent as a picture
                yield meant, data

    async def _put_in(self, waiting: "list[_Waiting]") -> None:
        for meant, _ in waiting:
            self._substitutes.prefetch(meant)
        room, done, troubles = _MAX_INLINE, 0, list[str]()
        with anyio.move_on_after(_PATIENCE):
            for meant, data in waiting:
                try:
                    file = await self._substitutes.file(meant, room)
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
                image=str(meant),
                seconds=_PATIENCE,
            )
            for meant, _ in waiting[done:]
        ]
        if troubles:
            logger.warning(
                say(
                    "qqimage: {count} of the {all} images in a message are sent as they were "
                    "received: {trouble}",
                    count=len(troubles),
                    all=len(waiting),
                    trouble=troubles[0],
                )
            )


def _messages_in(params: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Where messages are in the parameters of a call, also in those of a quick operation."""
    yield from ((params, name) for name in _MESSAGES if name in params)
    operation = params.get("operation")
    if isinstance(operation, Mapping) and "reply" in operation:
        params["operation"] = copied = dict(cast(Mapping[str, Any], operation))
        yield copied, "reply"


def _said(meant: Meant, field: str) -> str:
    """What the segment said of an image; empty for a file."""
    return str(getattr(meant, field)) if isinstance(meant, ImageReference) else ""


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


_Waiting = tuple[Meant, dict[str, Any]]
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


def _is_content(file: object) -> bool:
    return isinstance(file, str) and file.startswith(("base64://", "data:", "file://", "http"))
