"""A selection of images as one ZIP file, which is made in memory and therefore bounded."""

import asyncio
import io
import time
import zipfile
from collections.abc import Sequence

import anyio.to_thread

from ..content.info import ImageInfo
from ..language import Text
from ..store.image_store import ImageStore

MAX_IMAGES = 500
_MAX_BYTES = 64 * 1024 * 1024


class TooMuch(Exception):
    """More was selected than one file may hold.

    Args:
        text: how much it is, and may be.
    """

    def __init__(self, text: Text) -> None:
        super().__init__(text)
        self.text = text


class Export:
    """Makes ZIP files of stored images, one at a time."""

    def __init__(self, store: ImageStore) -> None:
        self._store = store
        self._one = asyncio.Lock()  # for the bytes of each are in memory as a whole

    async def zip(self, digests: Sequence[str]) -> bytes:
        """The images as a ZIP file; those that are not stored any more are left out.

        Args:
            digests: SHA-256 of the images.

        Raises:
            TooMuch: they are too many, or too large together.
            StoreError: the store cannot be read.
        """
        if len(digests) > MAX_IMAGES:
            raise TooMuch(
                Text(
                    "{count} pictures are selected; one file takes {most}",
                    count=len(digests),
                    most=MAX_IMAGES,
                )
            )
        infos = [info for each in digests if (info := await self._store.browsing.info(each))]
        size = sum(info.size for info in infos)
        if size > _MAX_BYTES:
            raise TooMuch(
                Text(
                    "the selected pictures have {size} MiB together; one file takes {most} MiB",
                    size=size >> 20,
                    most=_MAX_BYTES >> 20,
                )
            )
        async with self._one:
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as file:
                for info in infos:
                    data = await self._store.read(info)
                    if data is not None:
                        await anyio.to_thread.run_sync(_add, file, info, data)
            return buffer.getvalue()


def _add(file: zipfile.ZipFile, info: ImageInfo, data: bytes) -> None:
    # a name of ours: what senders call their files is theirs to choose
    entry = zipfile.ZipInfo(f"{info.sha256[:16]}.{info.extension}", time.localtime()[:6])
    entry.external_attr = 0o644 << 16
    file.writestr(entry, data)  # stored as it is, for pictures are compressed already
