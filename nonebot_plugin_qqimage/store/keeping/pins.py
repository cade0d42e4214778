"""Pins: what keeps an image in the store until its owner takes them back."""

from collections.abc import Callable

from ..local import images, outbox
from ..local.access.access import Access
from ..local.sqlite.database import Connection
from ..shared.tier import SharedTier


class Pins:
    """Pins images, here and in the shared store.

    Every coroutine raises `StoreError` where the store cannot be read or written.

    Args:
        access: to the index.
        send: whether the outbox is filled.
        tier: the shared store; None where there is none.
    """

    def __init__(self, access: Access, *, send: bool, tier: SharedTier | None) -> None:
        self._access = access
        self._send = send
        self._tier = tier

    async def add(self, sha256: str, owner: str) -> bool:
        """Keep an image until its owner unpins it as often; False if it is not stored."""

        def pin(db: Connection) -> bool:
            pinned = images.pin(db, sha256, owner)
            if pinned and self._send:
                outbox.add_pin(db, "pin", sha256, owner)
            return pinned

        return await self._write(pin)

    async def remove(self, sha256: str, owner: str) -> bool:
        """Take one of an owner's pins back; whether there was one."""

        def unpin(db: Connection) -> bool:
            if self._send:  # also where another host has pinned it
                outbox.add_pin(db, "unpin", sha256, owner)
            return images.unpin(db, sha256, owner)

        return await self._write(unpin)

    async def of(self, owner: str) -> list[str]:
        """The SHA-256 of the images that an owner keeps, the latest that was stored first."""
        everywhere = None if self._tier is None else await self._tier.pins(owner)
        if everywhere is not None:
            return everywhere
        return await self._access.read(lambda db: images.pinned_by(db, owner))

    async def _write(self, change: Callable[[Connection], bool]) -> bool:
        done = await self._access.write(change)
        if self._tier is not None:
            self._tier.hurry()
        return done
