"""What plugins keep of pictures under their name: pins, and what they know of a picture."""

from collections.abc import Awaitable, Callable

from .errors import StoreError
from .image import Image
from .language import Text, say
from .store.image_store import ImageStore
from .store.local.annotations import Annotation


class Owned:
    """Pins and annotations of pictures, which owners have: plugins, by their name.

    Every coroutine raises `ImageUnavailable` where no source has the picture, and `StoreError`
    where the store cannot be used.

    Args:
        store: where they are kept.
    """

    def __init__(self, store: ImageStore) -> None:
        self._store = store

    async def pin(self, image: Image, owner: str) -> None:
        """Pin a picture, which is fetched, if need be; `TypeError` for an owner that is no text."""
        _check(owner)
        if not await _while_stored(image, lambda sha256: self._store.pins.add(sha256, owner)):
            text = Text("{image} cannot be kept, and so not be pinned", image=str(image.reference))
            raise StoreError(text)

    async def unpin(self, image: Image, owner: str) -> None:
        """Take back one pin."""
        await self._store.pins.remove(await _sha256_of(image), owner)

    async def annotate(self, image: Image, owner: str, text: str) -> None:
        """Keep what an owner says of a picture, which is fetched, if need be.

        Raises:
            TypeError: the owner is no text.
            ValueError: the owner or the text is too long.
        """
        _check(owner)
        put = self._store.annotations.put
        if not await _while_stored(image, lambda sha256: put(sha256, owner, text)):
            raise StoreError(Text("{image} is not stored", image=str(image.reference)))

    async def annotations(self, image: Image) -> list[Annotation]:
        """What is known of a picture, the latest first."""
        return await self._store.annotations.of(await _sha256_of(image))


async def _while_stored(image: Image, keep: Callable[[str], Awaitable[bool]]) -> bool:
    """Whether something could be kept of a stored picture, by its SHA-256."""
    for _ in range(2):  # it may be evicted between the two steps
        if await keep((await image).info.sha256):
            return True
        await image.path()
    return False


async def _sha256_of(image: Image) -> str:
    return image.reference.sha256 or (await image.info()).sha256


def _check(owner: object) -> None:
    if not isinstance(owner, str) or not owner.strip():
        raise TypeError(say("an owner is a text, such as the name of your plugin"))
