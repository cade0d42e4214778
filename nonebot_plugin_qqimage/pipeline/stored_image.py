"""`StoredImage`: an image at hand, and where it came from."""

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
