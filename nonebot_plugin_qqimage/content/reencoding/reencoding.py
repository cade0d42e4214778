"""Re-encoding a picture with Pillow (the extra ``vision``), which is imported only when needed.

Everything here blocks, and has to run in one thread: a large picture takes hundreds of megabytes,
and Pillow's warnings can only be silenced for the whole process.
"""

from ..bounds import Bounds
from ..decoding.decoding import contact_sheet, first_frame, is_turned, kind_of, open_picture
from ..decoding.pillow import pillow
from ..info import ImageInfo
from .encoding import encode

_TURNED_BY_EXIF = ("png", "jpeg", "webp", "tiff")
"""Types that some viewers turn by EXIF; decoders of the others turn the picture themselves."""
_LOSSLESS = ("png", "gif", "bmp", "tiff")


def fitting(
    data: bytes, info: ImageInfo, bounds: Bounds, max_decoded: int
) -> tuple[str, bytes] | None:
    """The MIME type and bytes of a picture within the bounds; None when it cannot be so small.

    Args:
        data: the picture's bytes.
        info: the facts about them.
        bounds: what is acceptable.
        max_decoded: pixels of one frame that may be decoded.

    Raises:
        AttemptFailed: it has to be re-encoded, and cannot be decoded.
        MissingExtra: Pillow is not installed.
    """
    with pillow(info):
        if _fits(data, info, bounds):
            return info.mime, data
        sheet = info.frames > 1 and bounds.animation == "sheet"
        if sheet:
            still = contact_sheet(open_picture(data, info), info, max_decoded)
        else:
            still = first_frame(data, info, bounds.max_pixels, max_decoded)
        return encode(still, bounds, lossless=kind_of(info) in _LOSSLESS)


def _fits(data: bytes, info: ImageInfo, bounds: Bounds) -> bool:
    """Whether the stored bytes are within the bounds as they are."""
    kind = kind_of(info)
    return (
        bounds.allow(kind, info.size)
        and (bounds.max_pixels is None or info.width * info.height <= bounds.max_pixels)
        and (info.frames == 1 or bounds.animation == "keep")
        and not (kind in _TURNED_BY_EXIF and is_turned(open_picture(data, info)))
    )
