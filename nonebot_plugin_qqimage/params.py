"""What handlers inject: `Images` and its relatives, `ImagesOrAsk`, `Resolver`.

The providers accept any bot and any event, so that no handler is ever skipped because of them.
"""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from nonebot.adapters import Event, Message, MessageSegment
from nonebot.matcher import Matcher
from nonebot.params import Depends

from .bot.lifespan import get_resolver
from .bot.questions import ask, asked_by
from .image import Image
from .language import say
from .resolver import ImageResolver


async def _images(event: Event) -> list[Image]:
    return await get_resolver().images(event)


async def _message_images(event: Event) -> list[Image]:
    return get_resolver().message_images(event)


async def _quoted_images(event: Event) -> list[Image]:
    resolver = get_resolver()
    return (await resolver.images(event))[len(resolver.message_images(event)) :]


async def _forwarded_images(event: Event) -> list[Image]:
    return await get_resolver().forwarded_images(event)


async def _resolver() -> ImageResolver:
    return get_resolver()


# Not cached: the cache would hand one and the same list to every plugin.
Images = Annotated[list[Image], Depends(_images, use_cache=False)]
"""The images of the message, then those of the message it quotes; empty where there are none."""

MessageImages = Annotated[list[Image], Depends(_message_images, use_cache=False)]
"""The images of the message itself."""

QuotedImages = Annotated[list[Image], Depends(_quoted_images, use_cache=False)]
"""The images of the message that it quotes."""

ForwardedImages = Annotated[list[Image], Depends(_forwarded_images, use_cache=False)]
"""The images in the records that the message, or the one it quotes, forwards."""

Resolver = Annotated[ImageResolver, Depends(_resolver)]
"""The bot's `ImageResolver`."""


def ImagesOrAsk(
    prompt: str | Message[Any] | MessageSegment[Any] | None = None,
    *,
    timeout: float = 60.0,
    cancel: Sequence[str] = ("取消", "cancel"),
    on_cancel: str | None = None,
    on_timeout: str | None = None,
) -> Any:
    """The images of the message or of the one it quotes; else the user is asked for some.

    Write ``images: Annotated[list[Image], ImagesOrAsk("Please send an image")]``; the list is never
    empty. The handler waits, also one of a notice, until the same user sends or quotes images in
    the same chat. Everything else that the user says goes its way, commands with images too. A new
    question to the same user in the same chat ends the one before. Where no images come, the
    handler does not run.

    Args:
        prompt: the question; by default one in the language of the operator.
        timeout: seconds to wait.
        cancel: what the user may say instead, in any case.
        on_cancel: what to say then; by default a few words, and nothing where it is empty.
        on_timeout: what to say when no images came; the same.
    """
    words = {word.strip().lower() for word in cancel}

    async def images_or_ask(event: Event, matcher: Matcher) -> list[Image]:
        images = await get_resolver().images(event)
        if images:
            return images
        asked = asked_by(event)
        if asked is None:  # nobody could answer
            matcher.skip()
        question = say("Please send an image.") if prompt is None else prompt
        send = partial(matcher.send, question)  # pyright: ignore[reportUnknownMemberType]
        answer = await ask(asked, send, get_resolver().images, timeout, words)
        if isinstance(answer, list):
            return answer
        texts = {
            "cancelled": say("Cancelled.") if on_cancel is None else on_cancel,
            "late": say("No image came in time.") if on_timeout is None else on_timeout,
        }
        text = texts.get(answer) or None
        await matcher.finish(text)  # pyright: ignore[reportUnknownMemberType]

    return Depends(images_or_ask, use_cache=False)
