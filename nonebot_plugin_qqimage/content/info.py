"""`ImageInfo`: the facts about an image that are read from its bytes."""

from dataclasses import dataclass, field

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
    """SHA-256 of the bytes in lower-case hex, which is the image's name in the store."""
    md5: str
    """MD5 of the bytes in lower-case hex; QQ usually names the image by it."""
    mime: str
    """Its type, such as ``image/png``, by its bytes alone and not by any name or header."""
    size: int
    """Size in bytes."""
    width: int
    """Width in pixels, as decoders give it: a HEIC cropped and turned as its file says, the others
    as stored, for turning by EXIF is left to the viewer. 0 where it cannot be read, and only a
    digest proves that this is the image."""
    height: int
    """Height in pixels, as `width`."""
    frames: int
    """Number of frames; more than 1 for an animation."""
    sha1: str = field(default="", compare=False)
    """SHA-1 of the bytes in lower-case hex, which QQ's links say; empty for an image of an earlier
    version's store that has not been read since."""

    @property
    def uri(self) -> str:
        """A stable text handle, ``qqimage:<sha256>``, for histories and databases."""
        return f"qqimage:{self.sha256}"

    @property
    def extension(self) -> str:
        """The usual file name extension for its type, without the dot."""
        return EXTENSIONS.get(self.mime, "bin")  # unknown types come from a damaged index alone
