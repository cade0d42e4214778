"""Which stored image a reference means: known in this process, or looked up in the index."""

import contextlib
import hashlib
import time
from collections.abc import Sequence
from dataclasses import replace

from ...batching import Batching
from ...content.info import ImageInfo
from ...errors import StoreError
from ...messages.claims import confirmed
from ...messages.reference import ImageReference
from ..local import digests, images
from ..local.access.access import Access
from ..local.digests import Trust
from ..local.files.blobs import Blobs
from ..local.meaning import meant_by
from ..local.sqlite.clock import Clock
from ..local.sqlite.database import Connection
from ..local.upkeep.forgetting import mark
from ..memory.journal import Journal
from ..memory.memory import Memory


class Meanings:
    """Answers which image a reference means.

    Args:
        access: to the index.
        blobs: where the files are.
        journal: what is yet to be written down.
        memory: what this process knows.
        clock: tells when images are used.
    """

    def __init__(
        self, access: Access, blobs: Blobs, journal: Journal, memory: Memory, clock: Clock
    ) -> None:
        self.trust = Trust(0, 0)
        """How often links have told the truth, as of the last look at the index."""
        self.anything_forgotten = False
        """Whether anything was ever forgotten here, as of the last look at the index."""
        self._access = access
        self._blobs = blobs
        self._journal = journal
        self._memory = memory
        self._clock = clock
        self._lookups = Batching(self._look_up, images.MOST_ASKED)
        journal.shown = self._shown

    def known(self, reference: ImageReference, *, lately: bool = False) -> ImageInfo | None:
        """The image a reference means, where this process knows it without looking.

        Args:
            reference: the reference.
            lately: whether it must have been there half a second ago: another process may have
                forgotten it since.
        """
        if reference.brings_itself or (lately and not self._memory.fresh):
            return None
        info = self._memory.meant_by(reference)
        if info is not None:
            self._journal.use(info.sha256, self._clock.stamp())
        return info

    def _shown(self, reference: ImageReference) -> str:
        known = self.known(reference)
        return "" if known is None else known.sha256

    async def find(self, reference: ImageReference) -> ImageInfo | None:
        """The image a reference means, when it is stored."""
        info = self.known(reference, lately=True)
        if info is None:
            await self._write_places([reference])
            info = await self._lookups.ask(reference)
            if info is not None:
                self._found(reference, info)
        return info

    async def find_all(self, references: Sequence[ImageReference]) -> list[ImageInfo | None]:
        """The images that references mean, when they are stored; none is looked for in memory."""
        await self._write_places(references)
        found = await self._look_up(references)
        for reference, info in zip(references, found, strict=True):
            if info is not None:
                self._found(reference, info)
        return found

    async def _write_places(self, references: Sequence[ImageReference]) -> None:
        """Write down where images were seen, if one may be found by its place in whatever chat."""
        if any(each.place and not each.chat for each in references):
            with contextlib.suppress(StoreError):  # it may have no room, and still be read
                await self._journal.flush()  # its place may just have been seen

    def _found(self, reference: ImageReference, info: ImageInfo) -> None:
        self._learn(reference, info)
        self._journal.use(info.sha256, self._clock.stamp())

    def learn(self, reference: ImageReference, info: ImageInfo, since: float, mark: str) -> None:
        """Take note of an image that was put.

        Args:
            reference: what means it.
            info: the image.
            since: when putting began, by `time.monotonic`.
            mark: `forgetting.mark` as it was then.
        """
        self._memory.checked(since, mark)
        self._learn(reference, info)

    def _learn(self, reference: ImageReference, info: ImageInfo) -> None:
        by_id = bool(reference.face_id or reference.file_id)
        sure = by_id or confirmed(info, reference, binding=self.trust.binding)
        self._memory.learn(reference, info, confirmed=sure)

    async def _look_up(self, asked: Sequence[ImageReference]) -> list[ImageInfo | None]:
        begun = time.monotonic()
        read: dict[str, ImageInfo] = {}

        def complete(info: ImageInfo) -> ImageInfo:
            """The facts with the SHA-1, which an earlier release has not written down."""
            if not info.sha1 and info.sha256 not in read:
                data = self._blobs.read(info) or b""
                sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
                read[info.sha256] = replace(info, sha1=sha1 if data else "")
            return read.get(info.sha256, info)

        def look(db: Connection) -> tuple[list[ImageInfo | None], Trust, str]:
            trust, found = digests.trust(db), list[ImageInfo | None]()
            for start in range(0, len(asked), images.MOST_ASKED):
                some = asked[start : start + images.MOST_ASKED]
                found += meant_by(db, some, binding=trust.binding, complete=complete)
            return found, trust, mark(db)

        was_binding = self.trust.binding
        found, self.trust, marked = await self._access.read(look)
        if self.trust.binding != was_binding:  # what was known may be another image by now
            self._memory.clear()
        self._memory.checked(begun, marked)
        self.anything_forgotten = bool(marked)
        for info in read.values():
            self._journal.add(info)
        return found
