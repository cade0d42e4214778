"""`Arrival`: an image whose bytes have been judged; and `StoredImage`, what authors get of it."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..content.info import ImageInfo
from ..messages.reference import ImageReference

State = Literal["new", "resolving", "stored", "failed"]
"""Where an image stands: nothing was done yet, under way, at hand, or failed a moment ago."""


@dataclass(frozen=True)
class StoredImage:
    """An image at hand."""

    reference: ImageReference
    """Which reference it was got for."""
    info: ImageInfo
    """What it is."""
    source: str
    """Where its bytes came from; ``store`` when they were there already."""
    path: Path
    """Its file in the store."""
    data: bytes | None = field(default=None, repr=False)
    """The bytes, only while the store cannot keep them."""


class Arrival:
    """An image that is known to be right, and is in the store or on its way there.

    Whoever wants the bytes has them at once; whoever wants the file waits until it is kept.

    Args:
        reference: which reference it was got for.
        info: what it is.
        source: where its bytes came from; ``store`` when they were there already.
        data: its bytes, as long as they are not in the store.
    """

    def __init__(
        self, reference: ImageReference, info: ImageInfo, source: str, data: bytes | None = None
    ) -> None:
        self.reference = reference
        """Which reference it was got for."""
        self.info = info
        """What it is."""
        self.source = source
        """Where its bytes came from."""
        self.data = data
        """Its bytes, as long as they are not in the store."""
        self._settled = asyncio.Event()
        if data is None:
            self._settled.set()

    def settle(self, *, kept: bool) -> None:
        """The store has kept the image, or cannot; then its bytes stay here."""
        if kept:
            self.data = None
        self._settled.set()

    async def settled(self) -> None:
        """Wait until the store has kept the image, or has failed to.

        The flight that brought the image sets a deadline for that: `Pipeline` settles each one.
        """
        await self._settled.wait()
