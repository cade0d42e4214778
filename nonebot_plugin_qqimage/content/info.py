"""`ImageInfo`: the facts about an image that are read from its bytes."""

from dataclasses import dataclass

EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/bmp": "bmp",
    "image/tiff": "tif",
    "image/avif": "avif",
    "image/heic": "heic",
}
"""The usual file name extension of each type that is recognised, without the dot."""


@dataclass(frozen=True)
class ImageInfo:
    """Facts about an image, read from its bytes."""

    sha256: str
    """SHA-256 of the bytes, lower-case hex: the image's identity in the store."""
    md5: str
    """MD5 of the bytes, lower-case hex: the name QQ usually gives it."""
    mime: str
    """Its type by its bytes, such as ``image/png``; names and headers are not believed."""
    size: int
    """Bytes."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    frames: int
    """Frames; more than 1 for an animation."""

    @property
    def uri(self) -> str:
        """A stable text handle, ``qqimage:<sha256>``, for histories and databases."""
        return f"qqimage:{self.sha256}"

    @property
    def extension(self) -> str:
        """The usual file name extension for its type, without the dot."""
        return EXTENSIONS.get(self.mime, "bin")  # no type of ours: a row of a damaged index
