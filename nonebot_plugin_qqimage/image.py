"""`Image`, the handle that plugin authors hold."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import anyio.to_thread
import pybase64
from nonebot.adapters.onebot.v11 import MessageSegment

from .content.bounds import Animation, bounds_of
from .content.info import ImageInfo
from .content.reencoding.fitting import fit
from .errors import QQImageError, StoreError
from .language import Text
from .messages.reference import ImageReference
from .pipeline.arrival import Arrival, State, StoredImage
from .pipeline.pipeline import Pipeline
from .serving.links import Links


class Image:
    """One image of a message: cheap to make, and no work is done until you ask.

    ``await image`` gives the `StoredImage`, once it is on the disk. Every awaiting method raises
    `ImageUnavailable` when no source has the image. Handles are safe to share and to use at the
    same time.
    """

    __slots__ = ("_arrival", "_links", "_pipeline", "reference")

    def __init__(self, reference: ImageReference, pipeline: Pipeline, links: Links) -> None:
        self.reference = reference
        """What the segment said about it."""
        self._pipeline = pipeline
        self._links = links
        self._arrival: Arrival | None = None

    def __repr__(self) -> str:
        return f"<{self.reference}, {self.state}>"

    def __await__(self) -> Generator[Any, Any, StoredImage]:
        return self._stored().__await__()

    @property
    def state(self) -> State:
        """Where it stands; asking starts nothing."""
        return "stored" if self._arrival is not None else self._pipeline.state(self.reference)

    def prefetch(self) -> None:
        """Start to resolve it in the background, for a use soon after."""
        self._pipeline.prefetch(self.reference)

    async def read(self, *, fresh: bool = False) -> bytes:
        """The bytes, verified against their SHA-256; as soon as they are there.

        Args:
            fresh: whether to ask the sources whatever the store has, for those who must be sure:
                what is known of an image may go back to a name that its sender has chosen.

        Raises:
            ImageUnavailable: no source has it.
            StoreError: it was fetched, but the store could not keep it.
        """
        if fresh:
            self._arrival = await self._pipeline.resolve_anew(self.reference)
        for _ in range(2):  # the store may lose it between the two steps, to eviction or damage
            data = await self._pipeline.read_or_fetch(await self._resolve())
            if data is not None:
                return data
            self._arrival = None
        raise self._lost()

    async def path(self) -> Path:
        """A file with the verified bytes: to read, never to write, move or delete.

        It waits until the file is on the disk.

        Raises:
            ImageUnavailable: no source has it.
            StoreError: the store cannot keep it, so there is no file.
        """
        for _ in range(2):  # the store may lose it between the two steps, to eviction or damage
            stored = await self._stored()
            if stored.data is not None:
                raise StoreError(
                    Text(
                        "{image}: it could not be stored, so there is no file of it",
                        image=str(self.reference),
                    )
                )
            if await self._pipeline.store.intact(stored.info):
                return stored.path
            self._arrival = None
        raise self._lost()

    async def info(self) -> ImageInfo:
        """What it is: digests, type, size in bytes, width and height in pixels, frames.

        Raises:
            ImageUnavailable: no source has it.
        """
        return (await self._resolve()).info

    async def uri(self) -> str:
        """A stable text handle, ``qqimage:<sha256>``, to keep in histories instead of the bytes.

        The image is fetched for it, if need be, and the text is given once it is on the disk.
        `ImageResolver.image` opens it again, for as long as the store keeps the image.

        Raises:
            ImageUnavailable: no source has it.
        """
        return (await self._stored()).info.uri

    async def data_url(
        self,
        *,
        max_bytes: int | None = None,
        max_pixels: int | None = None,
        formats: Sequence[str] | None = None,
        animation: Animation | None = None,
    ) -> str:
        """The picture as a ``data:`` URL, as vision models take them.

        Without arguments these are the stored bytes, whatever they are. Any argument needs Pillow
        (the extra ``vision``). The stored bytes are still used where they are acceptable; else
        the picture is re-encoded in a thread, one at a time: upright, without metadata, with less
        quality and then fewer pixels until it fits, in the colours of sRGB, and never with more
        than 11 million pixels.

        Args:
            max_bytes: the longest acceptable result: the length of the whole URL, a third more
                than the picture's. Some vendors mean one and some the other by the same words;
                so their limit can be given as it stands in the manual.
            max_pixels: the largest acceptable width times height.
            formats: the acceptable types, such as ``("png", "jpeg")`` or ``("image/webp",)``; by
                default any. At least one must be PNG, JPEG, WebP or GIF. What is transparent
                turns white where no other type is acceptable than JPEG or GIF.
            animation: what becomes of an animation: ``"first"``, a still picture of its first
                frame, which is the default where another argument is given, for models refuse
                animations or see no more of them; ``"sheet"``, a still picture of up to nine
                evenly spaced frames in reading order (of a very long one, from its beginning);
                ``"keep"``, itself where that is acceptable, else its first frame.

        Raises:
            ImageUnavailable: no source has it. `ImageRejected` when it would have to be re-encoded
                but is damaged, has more pixels than ``QQIMAGE__MAX_DECODED_PIXELS`` allows, or is
                of a type Pillow cannot read (HEIC without a plugin of its own; AVIF before Pillow
                11.3).
            StoreError: it was fetched, but the store could not keep it.
            ValueError: an argument cannot be used, or not even one pixel fits into ``max_bytes``.
            MissingExtra: Pillow is not installed; it is a `QQImageError` and an ``ImportError``.
        """
        bounds = bounds_of(max_bytes, max_pixels, formats, animation)
        if bounds is None:
            info, data = await self._read_with_info()
            mime = info.mime
        else:
            await self._resolve()  # now, for whoever has the turn keeps the others waiting
            mime, data = await fit(str(self.reference), self._read_with_info, bounds)
        return f"data:{mime};base64,{await _base64(data)}"

    def url(self, *, public: bool = False) -> str:
        """A URL from which this bot serves it, now and as long as it can get the image.

        Args:
            public: one for programs outside this machine, such as a vision model, instead of the
                bot's own plugins. It needs ``QQIMAGE__PUBLIC_URL``.

        Raises:
            QQImageError: this bot serves no images, or has no public URL.
        """
        try:
            return self._links.url(self.reference, public=public)
        except ValueError as error:
            raise QQImageError(str(error)) from None

    async def segment(self) -> MessageSegment:
        """A segment that sends it again, through any implementation and at any later time.

        Raises:
            ImageUnavailable: no source has it.
            StoreError: it was fetched, but the store could not keep it.
        """
        return MessageSegment("image", {"file": f"base64://{await _base64(await self.read())}"})

    async def _read_with_info(self) -> tuple[ImageInfo, bytes]:
        data = await self.read()
        return await self.info(), data

    async def _resolve(self) -> Arrival:
        if self._arrival is None:
            self._arrival = await self._pipeline.resolve(self.reference)
        return self._arrival

    async def _stored(self) -> StoredImage:
        return await self._pipeline.stored(await self._resolve())

    def _lost(self) -> StoreError:
        text = Text(
            "{image}: the store lost it again as soon as it was fetched", image=str(self.reference)
        )
        return StoreError(text)


async def _base64(data: bytes) -> str:
    return await anyio.to_thread.run_sync(pybase64.b64encode_as_string, data)
