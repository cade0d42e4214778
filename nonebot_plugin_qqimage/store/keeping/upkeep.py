"""Upkeep: the store stays within its bounds, and its files and its index agree."""

from functools import partial
from pathlib import Path

from ...content.info import ImageInfo
from ...language import say
from ...log import logger
from ..local.access.access import Access
from ..local.files.blobs import Blobs
from ..local.sqlite.database import Connection
from ..local.upkeep import maintenance, sighting_removal
from ..local.upkeep.bounds import Bounds, in_use
from ..local.upkeep.eviction import evict_step, heal, oldest
from ..local.upkeep.maintenance import Finding
from ..memory.journal import Journal
from ..memory.memory import Memory

_GRACE = 900.0
"""Seconds for which a file may be unfinished; no write takes that long."""
_BATCH = 64
"""Sightings removed in one transaction: others that write wait meanwhile."""


class Upkeep:
    """Evicts what exceeds the bounds, and puts aside what is damaged.

    Every coroutine raises `StoreError` where the store cannot be read or written.

    Args:
        folder: where the store lives.
        access: to the index.
        blobs: where the files are.
        journal: what is yet to be written down.
        memory: what this process knows.
        bounds: those of the store.
    """

    def __init__(
        self,
        folder: Path,
        access: Access,
        blobs: Blobs,
        journal: Journal,
        memory: Memory,
        bounds: Bounds,
    ) -> None:
        self._folder = folder
        self._access = access
        self._blobs = blobs
        self._journal = journal
        self._memory = memory
        self._bounds = bounds

    async def evict(self) -> None:
        """Bring the store within its bounds, or larger ones of another process that uses it."""
        while await self._access.write(heal):
            pass
        while await self.evict_some():
            pass
        after = 0
        while after := await self._access.write(partial(self._evict_sightings, after)):
            pass

    async def evict_some(self, keep: str = "") -> bool:
        """Remove some images that exceed the bounds; whether there were any.

        Args:
            keep: the SHA-256 of an image that stays.
        """
        await self._journal.flush()  # the latest uses decide what goes
        gone = await self._access.write(
            lambda db: evict_step(db, self._blobs, self._bounds, keep=keep)
        )
        self._memory.forget(info.sha256 for info in gone)
        return bool(gone)

    async def steps(self, *, thorough: bool = True) -> list[str]:
        """The parts that `check` can look at; a damaged index has been replaced if this raises.

        Args:
            thorough: read all of a large index to find damage, too, which takes seconds.
        """
        return await self._access.index(
            lambda database: maintenance.steps(database, self._blobs, thorough=thorough)
        )

    async def check(
        self, step: str, *, deep: bool = False, repair: bool = False, grace: float = _GRACE
    ) -> list[Finding]:
        """Compare the files and the rows of one part; what is wrong.

        Args:
            step: one of `steps`.
            deep: read and verify every file.
            repair: put it right, too.
            grace: seconds for which a new file is left alone.
        """
        return await self._access.index(
            lambda database: maintenance.check(
                database, self._blobs, step, deep=deep, repair=repair, grace=grace
            )
        )

    async def set_aside(self, info: ImageInfo) -> None:
        """Forget an image whose file is missing or damaged; a damaged one goes to quarantine."""
        trouble = await self._access.index(
            lambda database: maintenance.set_aside(database, self._blobs, info)
        )
        self._memory.forget([info.sha256])
        if trouble is not None:
            self._journal.count("store", trouble)
            logger.warning(
                say(
                    "qqimage: the stored image {sha256} was {trouble}, and is fetched again where "
                    "that is possible; {folder} should be changed by nobody else",
                    sha256=info.sha256,
                    trouble=maintenance.in_words(trouble),
                    folder=self._folder,
                )
            )

    def _evict_sightings(self, after: int, db: Connection) -> int:
        return sighting_removal.evict(db, oldest(db, in_use(db, self._bounds)), _BATCH, after)
