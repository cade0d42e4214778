"""Answers that other plugins get when they ask for images, messages and forwarded records.

An image in the store needs no implementation, and a ``get_image`` that has failed is answered by
fetching the image another way. Calls of this plugin itself are left alone, or it would ask itself.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal, cast

import anyio
import anyio.to_thread
from nonebot import get_bots
from nonebot.adapters.onebot.v11 import Bot, MessageEvent, NetworkError
from nonebot.matcher import current_event, current_matcher

from ...content.formats.signatures import image_type
from ...content.info import ImageInfo
from ...content.inspection import inspect_within
from ...errors import AttemptFailed, Cause, QQImageError, StoreError
from ...fetch.files import base64_data
from ...fetch.files.files import local_path, read_file
from ...fetch.trial import Fetched
from ...implementation.answers import ImageAnswer, image_answer, is_link
from ...implementation.connection import is_made_for_a_test
from ...messages.chats import chat_in, chat_of
from ...messages.events import find_in_event
from ...messages.reader import Reader
from ...messages.reference import ImageReference
from ...messages.segments import from_segment
from ...messages.texts.served import ServedText
from ...serving.urls import token_of
from ..services import Services
from .rewriting import Rewriting

_QUICK = 2.0
"""Seconds that looking into the store may delay a call to the implementation."""
_PATIENCE = 20.0
"""Seconds that the answer to a failed call may be delayed by fetching the image another way."""


class ApiAnswers:
    """Improves what other plugins get.

    Args:
        services: of the bot.
        rewriting: puts served URLs into answers, and knows for whom.
    """

    def __init__(self, services: Services, rewriting: Rewriting) -> None:
        self._resolver = services.resolver
        self._links = services.links
        self._store = services.store
        self._pipeline = services.pipeline
        self._implementations = services.implementations
        self._config = services.config
        self._rewriting = rewriting

    async def from_store(self, bot: Bot, params: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer to a ``get_image`` about to be sent; None to let the implementation answer.

        It is given only where served URLs are wanted, for plugins read ``url`` too, and only the
        implementation has a fresh URL of the image host.
        """
        reference = self._reference(bot, params)
        if reference is None or not self._wanted(""):
            return None
        return await self._stored(reference)

    async def repaired(
        self, bot: Bot, params: Mapping[str, Any], exception: Exception | None, result: object
    ) -> dict[str, Any] | None:
        """An answer to a ``get_image`` that has failed; None to leave it as it is now.

        OneBot v11 promises a path in ``file``. Implementations on another machine give one that is
        of no use here, SnowLuma a link; and some say ``ok`` of files that are not there or hold a
        web page. So an answer is judged by the bytes that it leads to, and gets the path of a copy
        of its own where it has none that can be read here. Where there is a link at least, a plugin
        is not kept waiting for long.

        Args:
            bot: the bot that was called.
            params: the parameters of the call.
            exception: what the call raised.
            result: what the implementation answered; its file and URL may be changed.
        """
        reference = self._reference(bot, params)
        if reference is None or is_made_for_a_test(bot):
            return None
        if exception is None and await self._has_file(bot, reference, result):
            self._serve_url(reference, result)
            return None
        if isinstance(exception, NetworkError) and get_bots().get(bot.self_id) is not bot:
            # the answer may have been too large and have broken the connection: do not ask again
            return await self._stored(reference)
        link = image_answer(result).url
        with anyio.move_on_after(_QUICK if link else _PATIENCE), suppress(QQImageError):
            image = self._resolver.image(reference)
            await image.path()  # for it must be there to be copied
            return await self._answer(reference, await image.info(), link)
        self._serve_url(reference, result)
        return None

    def serve_message(self, bot: Bot, params: Mapping[str, Any], result: object) -> None:
        """Put served URLs into an answer of ``get_msg``, in place."""
        answer = cast(dict[str, Any], result) if isinstance(result, dict) else {}
        chat = chat_in({"self_id": bot.self_id, **answer})
        if answer and self._wanted(chat):
            message_id = str(params.get("message_id", ""))
            walk = Reader(bot.self_id, chat=chat).answer(answer, message_id)
            self._rewriting.in_answer(answer, walk)

    def serve_record(self, bot: Bot, params: Mapping[str, Any], result: object) -> None:
        """Put served URLs into an answer of ``get_forward_msg``, in place."""
        if self._wanted(""):
            record = params.get("id") or params.get("message_id") or params.get("forward_id", "")
            self._rewriting.in_answer(result, Reader(bot.self_id).record(result, str(record)))

    def serve_history(self, bot: Bot, params: Mapping[str, Any], result: object) -> None:
        """Put served URLs into an answer of ``get_group_msg_history`` or alike, in place."""
        chat = chat_in(params)
        if self._wanted(chat):
            self._rewriting.in_answer(result, Reader(bot.self_id, chat=chat).history(result))

    def _wanted(self, chat: str) -> bool:
        """Whether the plugin that calls wants served URLs.

        Args:
            chat: the chat of what is asked for; empty for that of the event being handled.
        """
        matcher, event = current_matcher.get(None), current_event.get(None)
        if matcher is not None and self._rewriting.excludes(matcher):
            return False
        if not chat and isinstance(event, MessageEvent):
            chat = chat_of(event)
        return self._rewriting.serves(chat)

    def _reference(self, bot: Bot, params: Mapping[str, Any]) -> ImageReference | None:
        """The image that is asked for: one of the event being handled, or else any of that name."""
        file = params.get("file") or params.get("file_id")
        if not isinstance(file, str):
            return None
        if isinstance(file, ServedText):  # put there in the place of a served URL
            file = file.original or ""
        event = current_event.get(None)
        own, quoted = find_in_event(event) if event is not None else ([], [])
        for reference in own + quoted:
            if file in (reference.file, reference.url):
                return reference
        segment = {"type": "image", "data": {"file": file}}
        reference = self._links.referred(file) or from_segment(segment, bot.self_id)
        return None if reference is None or reference.content else reference

    async def _stored(self, reference: ImageReference) -> dict[str, Any] | None:
        """The answer where the image is in the store, undamaged; else None."""
        store = self._store
        with anyio.move_on_after(_QUICK), suppress(StoreError):
            info = await store.find(reference)
            if info is not None and not await store.intact(info):
                info = None
            if info is not None:
                return await self._answer(reference, info)
        return None

    async def _answer(
        self, reference: ImageReference, info: ImageInfo, link: str = ""
    ) -> dict[str, Any]:
        """An answer with every implementation's fields; ``file_size`` is text, as LLOneBot's is."""
        matcher = current_matcher.get(None)
        excluded = matcher is not None and self._rewriting.excludes(matcher)
        name = reference.file or self._store.path(info).name
        return {
            "file": str(await self._store.copy(info)),
            "url": (not excluded and self._rewriting.served(reference)) or link or reference.url,
            "file_size": str(info.size),
            "file_name": name,
            "size": info.size,
            "filename": name,
        }

    async def _has_file(self, bot: Bot, reference: ImageReference, result: object) -> bool:
        """Whether an answer has the path of an image, or is given one of what it leads to."""
        answer = image_answer(result)
        self._implementations.of(bot).learn_size(reference.file, answer.size)
        with suppress(QQImageError), anyio.move_on_after(_QUICK):
            if answer.file and await self._holds_image(answer, reference):
                if answer.file[:5].lower() == "file:":  # plugins open it as a path
                    cast(dict[str, Any], result)["file"] = str(local_path(answer.file, {}))
                return True
            found = await self._led_to(answer, reference, result)
            if isinstance(found, Fetched):
                path = await self._store.copy(found.info, found.data)
                cast(dict[str, Any], result)["file"] = str(path)
            return found is not None
        return False

    async def _led_to(
        self, answer: ImageAnswer, reference: ImageReference, result: object
    ) -> "Fetched | Literal[True] | None":
        """The image that the base64 or the link of an answer leads to; True for one too large."""
        if answer.base64:
            data = await base64_data.decode(answer.base64, self._config.max_image_size)
            try:
                return Fetched(await self._inspected(data, reference.md5), data, "")
            except AttemptFailed:
                return True if image_type(data) else None
        if answer.url and not is_link(cast(Mapping[str, Any], result).get("file")):
            behind = ImageReference(url=answer.url, named_md5=reference.md5, size=reference.size)
            found, _ = await self._pipeline.fetch_anew(behind)
            return found
        return None

    async def _holds_image(self, answer: ImageAnswer, reference: ImageReference) -> bool:
        """Whether the file in an answer, under the very name that it has there, is an image."""
        largest, md5 = self._config.max_image_size, reference.md5
        try:
            data = await read_file(answer.file, {}, largest, size=answer.size, md5=md5)
            await self._inspected(data, md5)
        except AttemptFailed as failure:
            return failure.cause is Cause.TOO_LARGE  # for us, and not for whoever asked
        return True

    async def _inspected(self, data: bytes, md5: str) -> ImageInfo:
        return await anyio.to_thread.run_sync(lambda: inspect_within(self._config, data, md5=md5))

    def _serve_url(self, reference: ImageReference, result: object) -> None:
        answer = cast(dict[str, Any], result) if isinstance(result, dict) else {}
        own = answer.get("url")
        if not isinstance(own, str) or token_of(own) or not self._wanted(""):
            return
        url = self._rewriting.served(replace(reference, url=reference.url or own))
        if url:
            answer["url"] = ServedText(url, own)
