"""`ImageResolver`, what plugin authors hold: handles on images, and what is known of them."""

from dataclasses import replace

from nonebot.adapters import Event as BaseEvent
from nonebot.adapters.onebot.v11 import MessageEvent, MessageSegment

from .errors import StoreError
from .image import Image
from .implementation.forwards import find_forwarded
from .implementation.implementations import Implementations
from .language import Text
from .messages.chats import chat_of, checked_chat
from .messages.events import find_in_event, seen_forwarded
from .messages.reference import ImageReference, from_uri
from .messages.segments import from_segment
from .messages.sighting import Sighting
from .pipeline.pipeline import Pipeline
from .serving.links import Links


class ImageResolver:
    """Gets images, and keeps them.

    Args:
        pipeline: resolves references.
        links: makes URLs of images, and opens them.
        implementations: whom to ask for forwarded records.
        timeout: seconds to wait for each record.
    """

    def __init__(
        self, pipeline: Pipeline, links: Links, implementations: Implementations, timeout: float
    ) -> None:
        self._pipeline = pipeline
        self._store = pipeline.store
        self._links = links
        self._implementations = implementations
        self._timeout = timeout

    async def images(self, event: BaseEvent, *, forwarded: bool = False) -> list[Image]:
        """The images of an event's message, then those of the message it quotes.

        Args:
            event: any event; one without a OneBot v11 message, or an uploaded file, has none.
            forwarded: also those in forwarded records, after the others. The implementation is
                asked for the records; one that nobody knows any more is logged and left out.
        """
        own, quoted = find_in_event(event)
        found = own + quoted + (await self._find_forwarded(event) if forwarded else [])
        return [Image(reference, self._pipeline, self._links) for reference in found]

    def message_images(self, event: BaseEvent) -> list[Image]:
        """The images of an event's message itself."""
        return [
            Image(reference, self._pipeline, self._links) for reference in find_in_event(event)[0]
        ]

    def quoted_images(self, event: BaseEvent) -> list[Image]:
        """The images of the message that an event's message quotes."""
        return [
            Image(reference, self._pipeline, self._links) for reference in find_in_event(event)[1]
        ]

    async def forwarded_images(self, event: BaseEvent) -> list[Image]:
        """The images in the records that an event's message, or the one it quotes, forwards."""
        return [
            Image(reference, self._pipeline, self._links)
            for reference in await self._find_forwarded(event)
        ]

    async def find(
        self,
        *,
        sha256: str | None = None,
        bot: str | None = None,
        chat: str | None = None,
        user: str | None = None,
        message_id: str | None = None,
        since: float | None = None,
        limit: int = 100,
    ) -> list[Sighting]:
        """Where images were seen: the sightings that fit all that is given, the latest first.

        ``resolver.image(sighting)`` gives a handle on the image.

        Args:
            sha256: of the image.
            bot: the id of the bot that saw it.
            chat: ``group:<id>`` or ``private:<id of the other side>``.
            user: the id of the user who sent it.
            message_id: the message it stands in.
            since: seconds since the epoch.
            limit: how many at most.

        Raises:
            ValueError: the text is no chat, such as a bare id.
            StoreError: the store cannot be read.
        """
        return await self._store.sightings(
            sha256=sha256,
            bot=bot,
            chat=None if chat is None else checked_chat(chat),
            user=user,
            message_id=message_id,
            since=since,
            limit=limit,
        )

    async def latest(self, event: BaseEvent, n: int = 1) -> list[Image]:
        """The last images of an event's chat, the latest first; those of the event itself, too.

        Args:
            event: any event; one that belongs to no chat has none.
            n: how many at most.

        Raises:
            StoreError: the store cannot be read.
        """
        chat, bot = chat_of(event), str(getattr(event, "self_id", ""))
        found = await self.find(bot=bot, chat=chat, limit=n) if chat else []
        return [self.image(sighting) for sighting in found]

    async def pin(self, image: Image | str, owner: str) -> None:
        """Keep an image from eviction, until its owner unpins it as often as it was pinned.

        Args:
            image: a handle, or a ``qqimage:<sha256>`` URI.
            owner: who wants it kept, such as the name of your plugin.

        Raises:
            ImageUnavailable: no source has it.
            StoreError: the store cannot keep it.
        """
        handle = self.image(image) if isinstance(image, str) else image
        for _ in range(2):  # it may be evicted between the two steps
            stored = await handle
            if await self._store.pin(stored.info.sha256, owner):
                return
            await handle.path()
        raise StoreError(
            Text("{image} cannot be kept, and so not be pinned", image=str(handle.reference))
        )

    async def unpin(self, image: Image | str, owner: str) -> None:
        """Take back one `pin` of the same owner; where there is none, nothing happens.

        Raises:
            ImageUnavailable: no source has it, so nobody knows which image it is.
            StoreError: the store cannot be written.
        """
        handle = self.image(image) if isinstance(image, str) else image
        sha256 = handle.reference.sha256 or (await handle.info()).sha256
        await self._store.unpin(sha256, owner)

    async def forget(self, *, chat: str | None = None, user: str | None = None) -> tuple[int, int]:
        """Forget where a chat's or a user's images were seen, and those that were seen there only.

        Args:
            chat: the chat, as in `find`; None for any.
            user: the user's id; None for any.

        Returns:
            How many sightings and how many images went.

        Raises:
            ValueError: neither is given, or the text is no chat, such as a bare id.
            StoreError: the store cannot be written.
        """
        if chat is not None:
            checked_chat(chat)
        self._pipeline.forget_failures()
        return await self._store.forget(chat=chat, user=user)

    def image(self, target: MessageSegment | ImageReference | Sighting | str) -> Image:
        """A handle on one image.

        Args:
            target: an image segment, a reference, a sighting, or a ``qqimage:<sha256>`` URI.

        Raises:
            ValueError: the segment is no image, or the text no such URI.
        """
        if isinstance(target, ImageReference):
            return Image(target, self._pipeline, self._links)
        if isinstance(target, Sighting):
            return Image(
                replace(target.reference, sha256=target.sha256), self._pipeline, self._links
            )
        if isinstance(target, str):
            return Image(from_uri(target), self._pipeline, self._links)
        reference = from_segment(target)
        if reference is None:
            raise ValueError(f"not an image segment: {target.type}")
        # a saved one may hold a URL of ours alone, and nothing is downloaded from ourselves
        return Image(self._links.opened(reference), self._pipeline, self._links)

    def chat_of(self, event: BaseEvent) -> str:
        """The chat that an event belongs to, as `find` and `forget` take it.

        It is ``group:<id>``, or ``private:<id of the other side>`` for a temporary session, too;
        other kinds of messages have a chat of their own. Empty for an event that belongs to none.
        """
        return chat_of(event)

    async def _find_forwarded(self, event: BaseEvent) -> list[ImageReference]:
        if not isinstance(event, MessageEvent):
            return []
        implementation = self._implementations.find(str(event.self_id))
        found = await find_forwarded(event, implementation, self._timeout)
        for sighting in seen_forwarded(event, found):  # so that they can be forgotten
            self._store.saw(sighting)
        return found
