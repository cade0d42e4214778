"""Sending: what waits in this host's outbox, to the shared store, in its order."""

import asyncio
import os
import socket
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...content.info import ImageInfo
from ..local import images, outbox
from ..local.access.access import Access
from ..local.files.blobs import Blobs
from ..local.outbox import Entry
from ..local.sqlite.database import Connection
from .breaker import Refused, left_out
from .lanes import lanes
from .shared import New, Shared

_MOST = 256
"""Entries sent at a time."""
_MOST_BYTES = 1 << 21
"""Bytes of images sent at once by each of two connections, where one image does not have more; as
many are read meanwhile."""
_FIRST_BYTES = 1 << 19
"""As many of the first ones: nothing is sent while they are read."""


class _Part(NamedTuple):
    """Entries that are sent at once."""

    entries: list[Entry]
    images: list[tuple[ImageInfo, str]]
    """Those that the shared store lacks, each with its source."""


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
        try:
            if entries[0].kind in ("pin", "unpin", "forget"):
                await self._obey(entries[0], store, ahead)
                await self._sent(entries[:1])
                return True
            return await self._publish_all(entries, seen, ahead) or None
        finally:
            await self._access.write(lambda db: outbox.let_others(db, self.name))

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

    async def _sent(self, entries: Sequence[Entry]) -> None:
        await self._access.write(lambda db: outbox.sent(db, self.name, entries))

    async def _publish_all(self, entries: Sequence[Entry], seen: int, ahead: float) -> bool:
        """Send images and sightings; whether any of them are done."""
        sources = {each.sha256: str(each.body[1]) for each in entries if each.kind == "image"}
        missing = await self._shared.missing([*sources]) if sources else set[str]()
        found = await self._access.read(
            lambda db: {sha256: images.with_sha1(db, sha256) for sha256 in missing}
        )
        # None where it has been evicted since
        infos = {sha256: info for sha256, info in found.items() if info is not None}
        sizes = {sha256: info.size for sha256, info in infos.items()}
        parted = lanes(entries, sizes) if sum(sizes.values()) > _FIRST_BYTES else [entries]
        outcomes = await asyncio.gather(
            *(self._publish_in_turn(_parts(lane, infos, sources), seen, ahead) for lane in parted),
            return_exceptions=True,  # for neither may go on without being waited for
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return any(outcomes)

    async def _publish_in_turn(self, parts: Sequence[_Part], seen: int, ahead: float) -> bool:
        """Send some parts, one by one; whether any of them are done."""
        new, done, told = await self._read(parts[0]), False, parts[0].entries[:0]
        for number, part in enumerate(parts):
            # meanwhile what was sent before is left out, and what comes next read and verified
            told, new, _ = await asyncio.gather(
                self._publish(part.entries, new, seen, ahead),
                self._read(*parts[number + 1 : number + 2]),
                self._sent(told),
            )
            done = done or bool(told)
            if len(told) < len(part.entries):
                break
        await self._sent(told)
        return done

    async def _publish(
        self, entries: Sequence[Entry], new: Sequence[New], seen: int, ahead: float
    ) -> Sequence[Entry]:
        """Send some at once; those that are done, none where there are changes before."""
        try:
            return (
                entries if await self._shared.publish(entries, new, seen=seen, ahead=ahead) else ()
            )
        except Refused as error:
            if len(entries) > 1:  # one of them may be what is refused
                half = entries[: len(entries) // 2]
                meant = {entry.sha256 for entry in half if entry.kind == "image"}
                some = [each for each in new if each[0].sha256 in meant]
                return await self._publish(half, some, seen, ahead)
            left_out(error, entries[0].kind)
        return entries

    async def _read(self, part: _Part | None = None) -> list[New]:
        """The images of a part with their bytes, verified, as far as they are there."""
        if part is None or not part.images:
            return []

        async def read(some: list[tuple[ImageInfo, str]]) -> list[New]:
            found = await self._access.files(
                lambda: [(info, self._blobs.read(info), source) for info, source in some]
            )
            return [(info, data, source) for info, data, source in found if data is not None]

        # in two threads: nothing else can be done before the first part has been read
        both = await asyncio.gather(read(part.images[::2]), read(part.images[1::2]))
        return both[0] + both[1]


def _parts(
    entries: Sequence[Entry], infos: Mapping[str, ImageInfo], sources: Mapping[str, str]
) -> list[_Part]:
    """The entries, in their order, in parts that are not too large; one at least.

    Args:
        entries: the entries.
        infos: the images that the shared store lacks, by SHA-256.
        sources: where images are from, by SHA-256.
    """
    parts, size, left = [_Part([], [])], 0, dict(infos)
    for entry in entries:
        # it is sent once, however often it is named
        info = left.pop(entry.sha256, None) if entry.kind == "image" else None
        if info is not None:
            size += info.size
            most = _MOST_BYTES if parts[1:] else _FIRST_BYTES
            if size > most and parts[-1].images:
                parts, size = [*parts, _Part([], [])], info.size
            parts[-1].images.append((info, sources[info.sha256]))
        parts[-1].entries.append(entry)
    return parts
