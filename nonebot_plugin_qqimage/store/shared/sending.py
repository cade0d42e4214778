"""Sending: what waits in this host's outbox, to the shared store, in its order."""

import os
import socket
from collections.abc import Sequence
from itertools import accumulate

from ...content.info import ImageInfo
from ...language import say
from ...log import logger
from ..local import images, outbox
from ..local.access.access import Access
from ..local.files.blobs import Blobs
from ..local.outbox import Entry
from ..local.sqlite.database import Connection
from .breaker import Refused
from .shared import Shared

_MOST = 256
"""Entries sent at a time."""
_MOST_BYTES = 1 << 20
"""Bytes of images sent at a time, where one does not have more; others must have their turn."""


class Sending:
    """Sends an outbox.

    Args:
        shared: where to.
        access: to the local index.
        blobs: where the local files are.
    """

    def __init__(self, shared: Shared, access: Access, blobs: Blobs) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        """What this process is called."""
        self.forgotten: dict[int, tuple[int, int]] = {}
        """How many sightings and images went with an entry that somebody waits for."""
        self._shared = shared
        self._access = access
        self._blobs = blobs

    async def send_some(self, *, seen: int, ahead: float) -> bool | None:
        """Send the next entries.

        Args:
            seen: the number of the last change that was done here.
            ahead: seconds by which the shared store's clock is ahead of this machine's.

        Returns:
            Whether there may be more; None where there are changes to be done here before, or
            another process on this folder is sending.

        Raises:
            Unreachable: the shared store does not answer.
            Refused: it will not obey an order.
            StoreError: the local store fails.
        """
        entries, store, more = await self._access.write(self._take)
        if not entries:
            return None if more else False
        done: list[Entry] = []
        try:
            if entries[0].kind in ("pin", "unpin", "forget"):
                await self._obey(entries[0], store, ahead)
                done = [entries[0]]
            else:
                done = await self._publish(entries, seen, ahead)
        finally:
            await self._access.write(lambda db: outbox.sent(db, self.name, done))
        return True if done else None

    async def drop(self) -> int:
        """Forget what waits, but for orders; how many entries."""
        return await self._access.write(outbox.drop)

    def _take(self, db: Connection) -> tuple[list[Entry], str, bool]:
        store = outbox.store_name(db)
        entries = outbox.take(db, self.name, _MOST)
        return entries, store, bool(entries or outbox.waiting(db))

    async def _obey(self, entry: Entry, store: str, ahead: float) -> None:
        gone = await self._shared.order(entry, f"{store}:{entry.id}", ahead=ahead)
        if entry.id in self.forgotten:
            self.forgotten[entry.id] = gone

    async def _publish(self, entries: Sequence[Entry], seen: int, ahead: float) -> list[Entry]:
        """Send images and sightings; those that are done, none where there are changes before."""
        entries, new = await self._with_bytes(entries)
        try:
            if not await self._shared.publish(entries, new, seen=seen, ahead=ahead):
                return []
        except Refused as error:
            if len(entries) > 1:  # one of them may be what is refused
                return await self._publish(entries[: len(entries) // 2], seen, ahead)
            logger.warning(
                say(
                    "qqimage: the shared store: {error}; one {kind} is left out",
                    error=str(error),
                    kind=entries[0].kind,
                )
            )
        return [*entries]

    async def _with_bytes(
        self, entries: Sequence[Entry]
    ) -> tuple[Sequence[Entry], list[tuple[ImageInfo, bytes, str]]]:
        """As many of the first entries as fit, and the images that the shared store lacks."""
        sources = {each.sha256: str(each.body[1]) for each in entries if each.kind == "image"}
        missing = await self._shared.missing([*sources]) if sources else set[str]()
        if not missing:
            return entries, []
        wanted = [*dict.fromkeys(each.sha256 for each in entries if each.sha256 in missing)]
        infos = await self._access.read(lambda db: [images.with_sha1(db, each) for each in wanted])
        # those that are None have been evicted since
        fitting = _fitting([info for info in infos if info is not None])
        read = await self._access.files(lambda: [self._blobs.read(info) for info in fitting])
        found = [
            (info, data, sources[info.sha256])
            for info, data in zip(fitting, read, strict=True)
            if data is not None
        ]
        later = {info.sha256 for info in infos if info} - {info.sha256 for info in fitting}
        for number, entry in enumerate(entries):
            if entry.kind == "image" and entry.sha256 in later:
                return entries[:number], found
        return entries, found


def _fitting(infos: Sequence[ImageInfo]) -> list[ImageInfo]:
    """As many of the first images as are sent at a time, but one at least."""
    sizes = accumulate(info.size for info in infos)
    return [
        info
        for number, (info, size) in enumerate(zip(infos, sizes, strict=True))
        if not number or size <= _MOST_BYTES
    ]
