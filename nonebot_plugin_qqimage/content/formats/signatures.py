"""How files begin: the images that are kept, and what else people send in their place."""

from .heif import heif

_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    *((order + sort, "image/tiff") for order in (b"II", b"MM") for sort in (b"*\0", b"\0*")),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
)
_BMP_HEADERS = range(12, 125)
"""Lengths of the header that tells a BMP from a text that begins with the same letters."""
_OTHERS = (
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\0\0\1\0", "ICO"),
    (0, b"\0\0\2\0", "CUR"),
    (0, b"8BPS", "PSD"),
    (0, b"%PDF-", "PDF"),
    (0, b"PK\3\4", "ZIP"),
    (0, b"PK\5\6", "ZIP"),
    (0, b"Rar!\x1a\7", "RAR"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"\x1f\x8b\x08", "gzip"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\0", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "Zstandard"),
    (257, b"ustar", "tar"),
    (4, b"ftypqt  ", "QuickTime"),
    (4, b"ftypjxl ", "JPEG XL"),
    (4, b"ftypcrx ", "Canon CR3"),
    (4, b"ftyp", "MP4"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska/WebM"),
    (8, b"AVI ", "AVI"),
    (8, b"WAVE", "WAV"),
    (0, b"#!SILK", "SILK"),
    (1, b"#!SILK", "SILK"),
)


def image_type(data: bytes) -> str | None:
    """The MIME type of an image; None for anything else.

    Args:
        data: the file, or its beginning.
    """
    if data[4:8] == b"ftyp":
        return heif.mime_of(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return "image/bmp"
    return next((mime for start, mime in _IMAGES if data.startswith(start)), None)


def other_type(data: bytes) -> str:
    """What a file is that is no image of ours, by the name people know; empty where unknown.

    Args:
        data: the file, or its beginning.
    """
    return next((name for at, start, name in _OTHERS if data.startswith(start, at)), "")
