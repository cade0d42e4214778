"""What the operator's page asks of the store, and who may look at it."""

import hashlib
import secrets
import time
from typing import Any

from ..content.info import ImageInfo
from ..messages.sighting import Sighting
from .local import images
from .local.access.access import Access
from .local.browsing import sessions
from .local.browsing.figures import Figures, figures
from .local.browsing.pages import Page, Wanted, page
from .local.files.blobs import Blobs
from .local.sightings import sightings
from .local.sqlite.database import Connection
from .local.sqlite.schema import to_browse
from .memory.journal import Journal


class Browsing:
    """Pages of images, their thumbnails, figures for plots, links and sessions.

    Every coroutine raises `StoreError` where the store cannot be used.

    Args:
        access: to the index and the files.
        journal: what is yet to be written down.
        blobs: where the files are.
    """

    def __init__(self, access: Access, journal: Journal, blobs: Blobs) -> None:
        self._access = access
        self._journal = journal
        self._blobs = blobs

    # Pages

    async def prepare(self) -> None:
        """Make the indexes that pages need, as far as they are missing: seconds for a large index.

        Each is made in a transaction of its own, so that others can write in between.
        """
        for statement in await self._access.read(to_browse):

            def make(db: Connection, statement: str = statement) -> None:
                if statement in to_browse(db):  # another process may have been faster
                    db.run(statement)

            await self._access.write(make)

    async def page(self, wanted: Wanted, *, after: str = "", limit: int) -> Page:
        """Images, the newest first.

        Args:
            wanted: which.
            after: `Page.after` of the page before; empty for the first one.
            limit: how many at most.
        """
        await self._journal.flush()
        return await self._access.read(lambda db: page(db, wanted, after=after, limit=limit))

    async def info(self, sha256: str) -> ImageInfo | None:
        """What an image is, where it is stored."""
        return await self._access.read(lambda db: images.by_digest(db, sha256))

    async def unresolved(self, *, limit: int) -> list[Sighting]:
        """The latest sightings whose image has not come, the latest first."""
        await self._journal.flush()
        return await self._access.read(lambda db: sightings.unresolved(db, limit))

    async def figures(self, *, days: int, chats: int) -> Figures:
        """Figures over time, for plots: up to a second where there is much.

        Args:
            days: how far back.
            chats: how many of those in which most images were seen.
        """
        await self._journal.flush()
        return await self._access.read_at_length(lambda db: figures(db, days=days, chats=chats))

    # Single images

    async def thumbnail(self, info: ImageInfo) -> bytes | None:
        """The thumbnail of an image, where it has been made."""
        return await self._access.files(lambda: self._blobs.thumbnails.read(info.sha256))

    async def keep_thumbnail(self, info: ImageInfo, data: bytes) -> None:
        """Keep the thumbnail of an image for as long as the image is stored."""

        def keep(db: Connection) -> None:
            self._blobs.thumbnails.keep(info.sha256, data)
            if images.by_digest(db, info.sha256) is None:  # it has gone while this was made
                self._blobs.thumbnails.remove(info.sha256)

        await self._access.read(keep)

    async def sweep_thumbnails(self) -> None:
        """Remove thumbnails of images that have gone: an earlier release leaves them behind."""

        def sweep(db: Connection) -> None:
            for sha256 in self._blobs.thumbnails.names():
                if images.by_digest(db, sha256) is None:
                    self._blobs.thumbnails.remove(sha256)

        await self._access.read(sweep)

    # Who may look

    async def installation(self) -> str:
        """What this folder is called in the names of cookies; the same for all its processes."""
        known = await self._access.read(sessions.known_installation)
        return known or await self._access.write(sessions.installation)

    async def admit(self, kind: str, seconds: float, **said: Any) -> str:
        """Make a secret that lets somebody in, and keep its digest.

        Args:
            kind: ``link`` or ``session``.
            seconds: for how long.
            **said: what is to be known of it later.
        """
        secret = secrets.token_urlsafe(32)
        until = time.time() + seconds
        await self._access.write(lambda db: sessions.keep(db, kind, _digest(secret), said, until))
        return secret

    async def spend_link(self, secret: str) -> dict[str, Any] | None:
        """What was said of a link, once; None where there is none, or it has ended."""
        digest = _digest(secret)
        if await self._access.read(lambda db: sessions.look(db, "link", digest)) is None:
            return None  # without waiting for those who write, for anybody may guess
        return await self._access.write(lambda db: sessions.spend(db, digest))

    async def session(self, secret: str) -> dict[str, Any] | None:
        """What was said of a session; None where there is none, or it has ended."""
        return await self._access.read(lambda db: sessions.look(db, "session", _digest(secret)))

    async def end_session(self, secret: str) -> None:
        """End a session."""
        await self._access.write(lambda db: sessions.end(db, "session", _digest(secret)))

    async def end_all(self) -> int:
        """End every link and every session, in all processes; how many there were."""
        return await self._access.write(
            lambda db: sessions.end(db, "link") + sessions.end(db, "session")
        )

    async def anybody(self) -> bool:
        """Whether there is any link or session that has not ended."""
        return await self._access.read(sessions.anybody)


def _digest(secret: str) -> str:
    # 256 random bits: nobody finds them by trying, so a fast digest is as good as a slow one
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
