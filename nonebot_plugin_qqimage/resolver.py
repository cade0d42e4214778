"""`ImageResolver`, what plugin authors hold: handles on images, and what is known of them."""

from collections.abc import Iterable

from nonebot.adapters import Bot as BaseBot
from nonebot.adapters import Event as BaseEvent

from .event_images import EventImages
from .image import Image
from .implementation.implementations import Implementations
from .implementation.receiver import asked_chat, received
from .messages.chats import chat_of, checked_chat
from .messages.reference import ImageReference
from .messages.sighting import Sighting
from .messages.targets import Target, checked_event, reference_of
from .owned import Owned
from .pipeline.pipeline import Pipeline
from .serving.links import Links
from .similar import SimilarImage, SimilarImages
from .store.local.annotations import Annotation


class ImageResolver:
    """Gets images, and keeps them.

    Args:
        pipeline: resolves references.
        links: makes URLs of images, and opens them.
        bots: those that are connected.
        events: finds the images of events.
    """

    def __init__(
        self, pipeline: Pipeline, links: Links, bots: Implementations, events: EventImages
    ) -> None:
        self._pipeline = pipeline
        self._store = pipeline.store
        self._links = links
        self._bots = bots
        self._events = events
        self._owned = Owned(pipeline.store)

    async def images(self, event: BaseEvent, *, forwarded: bool = False) -> list[Image]:
        """The images of an event's message, then those of the message it quotes.

        Where the event does not hold the quoted message, because ``get_msg`` failed or answered
        without its images, they are those that were seen in it.

        Args:
            event: any event; one without a OneBot v11 message, or an uploaded file, has none.
            forwarded: also those in forwarded records, after the others. The implementation is
                asked for the records; one that nobody knows any more is logged and left out.
        """
        found = await self._events.own_and_quoted(event)
        return self._handles(found + (await self._events.forwarded(event) if forwarded else []))

    def message_images(self, event: BaseEvent) -> list[Image]:
        """The images of an event's message itself."""
        return self._handles(self._events.own(event))

    def quoted_images(self, event: BaseEvent) -> list[Image]:
        """The images of the quoted message, as far as the event itself holds it.

        `images` also knows those that were seen, where the event does not hold them.
        """
        return self._handles(self._events.quoted(event))

    async def forwarded_images(self, event: BaseEvent) -> list[Image]:
        """The images in the records that an event's message, or the one it quotes, forwards."""
        return self._handles(await self._events.forwarded(event))

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

    async def latest(
        self,
        event: BaseEvent,
        n: int = 1,
        *,
        own: bool = True,
        distinct: bool = False,
        before: bool = False,
    ) -> list[Image]:
        """The last images of an event's chat, the latest first.

        Args:
            event: any event; one that belongs to no chat has none.
            n: how many at most.
            own: also what this bot has sent.
            distinct: each image once, however often it was sent.
            before: only what came before this event, so not its own images either.

        Raises:
            StoreError: the store cannot be read.
        """
        seen = await self._events.latest(event, n, own=own, distinct=distinct, before=before)
        return [self.image(sighting) for sighting in seen]

    async def pin(self, image: Image | Sighting | str, owner: str) -> None:
        """Keep an image from eviction, until its owner unpins it as often as it was pinned.

        The newest 100 places where it was seen are kept as long, unless they are forgotten.

        Args:
            image: a handle, a sighting, or a ``qqimage:<sha256>`` URI.
            owner: who wants it kept, such as the name of your plugin.

        Raises:
            ImageUnavailable: no source has it.
            StoreError: the store cannot keep it.
            TypeError: the owner is no text.
        """
        await self._owned.pin(self.image(image), owner)

    async def pins(self, owner: str) -> list[Image]:
        """The images that an owner keeps, each once; the latest that was stored comes first.

        Args:
            owner: as in `pin`.

        Raises:
            StoreError: the store cannot be read.
        """
        return [self.image(f"qqimage:{sha256}") for sha256 in await self._store.pins.of(owner)]

    async def unpin(self, image: Image | Sighting | str, owner: str) -> None:
        """Take back one `pin` of the same owner; where there is none, nothing happens.

        Raises:
            ImageUnavailable: no source has it, so nobody knows which image it is.
            StoreError: the store cannot be written.
        """
        await self._owned.unpin(self.image(image), owner)

    async def similar(
        self, image: Image | Target, *, chat: str | None = None, limit: int = 10
    ) -> list[SimilarImage]:
        """Pictures that were seen and are like this one, the surest first; by Pillow.

        The picture itself is among them where it was seen in another message. Pictures that came
        a moment ago may not have been looked at yet.

        Args:
            image: as in `image`.
            chat: the chat that they must have been seen in; by default that of the handler that
                runs, or else that of the image: elsewhere they are nobody's business. ``"all"``
                for any chat, for superusers.
            limit: how many at most, never more than 50; each costs decoding a picture.

        Raises:
            ImageUnavailable: no source has the image.
            MissingExtra: Pillow is not installed.
            ValueError: the text is no chat, or nobody knows the chat.
            StoreError: the store cannot be read.
        """
        handle = self.image(image)
        where = asked_chat(chat, handle.reference.chat)
        return await SimilarImages(self._store, handle, self.image, where).find(limit)

    async def annotate(self, image: Image | Target, owner: str, text: str) -> None:
        """Keep what is known of a picture, by its content: as long as the picture is stored.

        It replaces what the same owner has said of it before, and an empty text removes that.
        Control characters become spaces.

        Args:
            image: as in `image`; it is fetched, if need be.
            owner: who says it, such as the name of your plugin; at most 100 characters.
            text: a caption, the text in it, tags; at most 16,384 bytes in UTF-8.

        Raises:
            ImageUnavailable: no source has the image.
            StoreError: the store cannot keep it, or sixteen owners have said something already.
            TypeError: the owner is no text.
            ValueError: the owner or the text is too long.
        """
        await self._owned.annotate(self.image(image), owner, text)

    async def annotations(self, image: Image | Target) -> list[Annotation]:
        """What is known of a picture, the latest first.

        Raises:
            ImageUnavailable: no source has the image, so nobody knows which one it is.
            StoreError: the store cannot be read.
        """
        return await self._owned.annotations(self.image(image))

    async def search(
        self, text: str, *, owner: str | None = None, chat: str | None = None, limit: int = 100
    ) -> list[Annotation]:
        """What is known of pictures, as far as every word of a text stands in it; the latest first.

        ``resolver.image(annotation.uri)`` gives a handle on the picture.

        Args:
            text: words with spaces between them, or parts of words; Chinese needs no spaces.
            owner: who said it; None for anybody.
            chat: the chat that the pictures were seen in; by default that of the handler that
                runs. ``"all"`` for any chat, for superusers.
            limit: how many at most; never more than 1,000.

        Raises:
            ValueError: the text is too long, or no chat, or nobody knows the chat.
            StoreError: the store cannot be read.
        """
        where = asked_chat(chat, "")
        return await self._store.annotations.search(text, owner=owner, chat=where, limit=limit)

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
        return await self._store.forgetting.forget(chat=chat, user=user)

    def image(
        self, target: Image | Target, *, event: BaseEvent | None = None, bot: BaseBot | None = None
    ) -> Image:
        """A handle on one image.

        Where the target does not say which bot received it, that is the one of the event, or the
        one that is given, or the one that the current handler works for, or the only one connected.

        Args:
            target: an image segment, also as a mapping, as answers of calls hold it; the ``Image``
                of nonebot-plugin-alconna; a CQ code; a link of QQ or of this bot; a
                ``qqimage:<sha256>`` URI; a sighting, a reference or a handle.
            event: the event that it came with, or whose bot is to be asked for it.
            bot: the bot that is to be asked for it.

        Raises:
            TypeError: the target is of a type that names no image.
            ValueError: it names none, such as a segment of text, or several.
        """
        if isinstance(target, Image):
            return target
        # a saved one may hold a URL of ours alone, and nothing is downloaded from ourselves
        served = self._links.open(target) if isinstance(target, str) else None
        reference = served or self._links.opened(reference_of(target))
        if not reference.self_id and not reference.bare:
            reference = received(reference, self._bots, event, bot)
        return Image(reference, self._pipeline, self._links)

    def chat_of(self, event: BaseEvent) -> str:
        """The chat that an event belongs to, as `find` and `forget` take it.

        It is ``group:<id>``, or ``private:<id of the other side>`` for a temporary session, too;
        other kinds of messages have a chat of their own. Empty for an event that belongs to none.
        """
        return chat_of(checked_event(event))

    def _handles(self, references: Iterable[ImageReference]) -> list[Image]:
        return [Image(reference, self._pipeline, self._links) for reference in references]
