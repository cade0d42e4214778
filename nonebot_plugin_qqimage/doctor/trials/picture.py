"""A real image of a chat, tried from end to end."""

import time
from contextlib import suppress

import anyio
from nonebot.adapters.onebot.v11 import MessageEvent

from ...content.info import ImageInfo
from ...errors import ImageUnavailable, QQImageError, StoreError, unavailable
from ...language import Text
from ...messages.reference import ImageReference
from ...pipeline.pipeline import Pipeline
from ...resolver import ImageResolver
from ..figures import size_of
from ..line import Line

_ABOUT = Text("image")
_PREFETCH = 30.0
"""Seconds for a fetch that is under way."""


async def about_picture(
    resolver: ImageResolver, pipeline: Pipeline, event: MessageEvent
) -> list[Line]:
    """What becomes of an image of the event's chat when the sources are asked for it.

    It is the one in the message, or in the message that it quotes, or else the last of the chat.
    """
    try:
        images = await resolver.images(event) or await resolver.latest(event, 1)
    except StoreError:  # which is told elsewhere
        images = []
    if not images:
        cure = Text("send one together with the command, or quote one")
        return [Line("warning", _ABOUT, Text("there is none in this chat to try"), cure)]
    reference = images[0].reference
    if images[0].state in ("resolving", "stored"):  # as one that has just been sent
        with suppress(QQImageError), anyio.move_on_after(_PREFETCH):
            await images[0]
    return [await _in_store(pipeline, reference), *await _anew(pipeline, reference)]


async def _in_store(pipeline: Pipeline, reference: ImageReference) -> Line:
    try:
        info = await pipeline.store.find(reference)
        lost = info is not None and not await pipeline.store.intact(info)
    except StoreError as error:
        text = Text("the store cannot say whether it has it: {error}", error=error.text)
        return Line("failed", _ABOUT, text)
    if info is None:
        return Line("warning", _ABOUT, Text("the store does not have it"))
    if lost:
        return Line("warning", _ABOUT, Text("the store had it, but its file is damaged or missing"))
    return Line("ok", _ABOUT, Text("the store has it: {what}", what=what_it_is(info)))


async def _anew(pipeline: Pipeline, reference: ImageReference) -> list[Line]:
    started = time.perf_counter()
    try:
        fetched, attempts = await pipeline.fetch_anew(reference)
    except ImageUnavailable as error:
        fetched, attempts = None, error.attempts
    seconds = time.perf_counter() - started
    lines = [Line("warning", _ABOUT, attempt.words) for attempt in attempts]
    if fetched is None:
        hint = unavailable(str(reference), attempts).hint
        text = Text("no source brings it now, after {seconds:.2f} s", seconds=seconds)
        lines.append(Line("failed", _ABOUT, text, hint))
    else:
        text = Text(
            "{source}: {what} in {seconds:.2f} s",
            source=fetched.source,
            what=what_it_is(fetched.info),
            seconds=seconds - sum(attempt.seconds for attempt in attempts),
        )
        lines.append(Line("ok", _ABOUT, text))
    return lines


def what_it_is(info: ImageInfo) -> Text:
    """Type, pixels and size of an image, as people read them."""
    pixels = f"{info.width} × {info.height}"
    return Text("{type}, {pixels}, {size}", type=info.mime, pixels=pixels, size=size_of(info.size))
