"""Looking references up in the index: all that are asked for at a time go to a thread together.

The way to a thread and back takes longer than ten look-ups, and many may come at once.
"""

import asyncio

from ..content import ImageInfo
from ..reference import ImageReference
from .access import Access
from .index import MOST_ASKED


class Lookups:
    """Finds the images that references mean.

    Args:
        access: to the index.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._asked: list[tuple[ImageReference, asyncio.Future[ImageInfo | None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def find(self, reference: ImageReference) -> ImageInfo | None:
        """The image a reference means, when it is stored.

        Raises:
            StoreError: the store cannot be read.
        """
        answer = asyncio.get_running_loop().create_future()
        self._asked.append((reference, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._answer_all())
        return await answer

    async def _answer_all(self) -> None:
        try:
            while self._asked:
                await self._answer()
        finally:
            self._task = None

    async def _answer(self) -> None:
        asked, self._asked = self._asked[:MOST_ASKED], self._asked[MOST_ASKED:]
        references = [reference for reference, _ in asked]
        try:
            found = await self._access.index(lambda index: index.meant_by(references))
        except Exception as error:  # noqa: BLE001  whatever it is, it is for those who asked
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
        else:
            for (_, answer), info in zip(asked, found, strict=True):
                if not answer.done():  # who asked may have gone
                    answer.set_result(info)
