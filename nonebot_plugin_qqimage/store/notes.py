"""Notes: small texts for every process that uses the folder, and the paths that messages said."""

from .local import notes
from .local.access.access import Access
from .local.sqlite.database import Connection
from .local.upkeep.bounds import Bounds, announce
from .memory.journal import Journal, SaidPath


class Notes:
    """Keeps texts under names.

    Every coroutine raises `StoreError` where the store cannot be read or written.

    Args:
        access: to the index.
        journal: what is yet to be written down.
        bounds: those of the store, which are announced with each note.
    """

    def __init__(self, access: Access, journal: Journal, bounds: Bounds) -> None:
        self._access = access
        self._journal = journal
        self._bounds = bounds

    async def leave(self, name: str, text: str) -> None:
        """Keep a text under a name, for any process that uses this folder."""

        def leave(db: Connection) -> None:
            notes.leave(db, name, text)
            announce(db, self._bounds)

        await self._access.write(leave)

    async def find(self, prefix: str) -> dict[str, tuple[str, float]]:
        """The texts whose names start so, each with the time it was kept (since the epoch)."""
        return await self._access.read(lambda db: notes.find(db, prefix))

    async def forget(self, prefix: str, *, before: float) -> None:
        """Forget the texts whose names start so that were kept before a time (since the epoch)."""
        await self._access.write(lambda db: notes.forget(db, prefix, before))

    def add_said_path(self, digest: str) -> None:
        """Remember that a received message has said a path, a moment later: see `said_paths`."""
        self._journal.add(SaidPath(digest))

    async def was_said(self, digest: str) -> bool:
        """Whether a received message has said a path."""
        await self._journal.flush()
        return await self._access.read(lambda db: notes.was_said(db, digest))
