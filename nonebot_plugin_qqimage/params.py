"""What handlers inject: `Images`, `MessageImages`, `QuotedImages`, `ForwardedImages`, `Resolver`.

The providers accept any bot and any event, so that no handler is ever skipped because of them.
"""

from typing import Annotated

from nonebot.adapters import Event
from nonebot.params import Depends

from .bot.lifespan import get_resolver
from .image import Image
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
