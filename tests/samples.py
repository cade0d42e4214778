"""Tiny images of every format: made here where that is easy, stored where it takes an encoder.

All show the same 13 × 7 pixels (HEIC: 80 × 64); animations have three frames.
"""

import base64
import struct
import zlib

WIDTH, HEIGHT = 13, 7
HEIC_SIZE = 80, 64  # its encoder pads anything smaller


def png(width: int = WIDTH, height: int = HEIGHT, *, shade: int = 0, filler: int = 0) -> bytes:
    """A PNG; `filler` adds bytes that no compression takes away."""
    rows = b"".join(b"\0" + bytes([shade % 256, y % 256, 90]) * width for y in range(height))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))]
    if filler:
        chunks.append((b"tEXt", b"Comment\0" + b"x" * filler))
    return _png([*chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")])


def apng(frames: int = 3) -> bytes:
    """An animated PNG."""
    rows = zlib.compress((b"\0" + bytes(3 * WIDTH)) * HEIGHT)
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)),
        (b"acTL", struct.pack(">II", frames, 0)),
    ]
    number = 0
    for frame in range(frames):
        control = struct.pack(">IIIIIHHBB", number, WIDTH, HEIGHT, 0, 0, 1, 10, 0, 0)
        chunks.append((b"fcTL", control))
        number += 1
        if frame == 0:
            chunks.append((b"IDAT", rows))
        else:
            chunks.append((b"fdAT", struct.pack(">I", number) + rows))
            number += 1
    return _png([*chunks, (b"IEND", b"")])


def _png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in chunks:
        data += struct.pack(">I", len(body)) + kind + body
        data += struct.pack(">I", zlib.crc32(kind + body))
    return data


def bmp(*, top_down: bool = False) -> bytes:
    """An uncompressed BMP, with 24 bits a pixel."""
    body = bytes((3 * WIDTH + 3) // 4 * 4 * HEIGHT)
    height = -HEIGHT if top_down else HEIGHT
    header = struct.pack("<IiiHHIIiiII", 40, WIDTH, height, 1, 24, 0, len(body), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + header + body


def tiff(*, directory_first: bool) -> bytes:
    """An uncompressed grey TIFF; writers that stream put its directory at the end."""
    body = bytes(WIDTH * HEIGHT + 1)  # kept even
    entries = 9
    length = 2 + 12 * entries + 4
    directory_at = 8 if directory_first else 8 + len(body)
    body_at = 8 + length if directory_first else 8
    directory = struct.pack("<H", entries)
    for tag, kind, value in (
        (256, 4, WIDTH),
        (257, 4, HEIGHT),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, body_at),
        (277, 3, 1),
        (278, 4, HEIGHT),
        (279, 4, WIDTH * HEIGHT),
    ):
        directory += struct.pack("<HHII", tag, kind, 1, value)
    directory += struct.pack("<I", 0)
    parts = (directory, body) if directory_first else (body, directory)
    return b"II*\0" + struct.pack("<I", directory_at) + b"".join(parts)


def _decode(text: str) -> bytes:
    return base64.b64decode("".join(text.split()))


JPEG = _decode(
    """
    /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1td
    hbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSk
    pKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAHAA0DASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAME/8QAGRAA
    AwEBAQAAAAAAAAAAAAAAAAECETFx/8QAFQEBAQAAAAAAAAAAAAAAAAAABAX/xAAYEQADAQEAAAAAAAAAAAAAAAAAAQID
    Qf/aAAwDAQACEQMRAD8AzRcKUnOvwnWOm1wAE2U4ymKdLp//2Q==
    """
)
JPEG_PROGRESSIVE = _decode(
    """
    /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1td
    hbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSk
    pKSkpKSkpKSkpKSkpKSkpKSkpKT/wgARCAAHAA0DASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAID/8QAFQEB
    AQAAAAAAAAAAAAAAAAAAAwT/2gAMAwEAAhADEAAAAcpAp//EABQQAQAAAAAAAAAAAAAAAAAAABD/2gAIAQEAAQUCP//E
    ABcRAQADAAAAAAAAAAAAAAAAAAEAAhH/2gAIAQMBAT8BKg7P/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPwF/
    /8QAFBABAAAAAAAAAAAAAAAAAAAAEP/aAAgBAQAGPwI//8QAFxABAQEBAAAAAAAAAAAAAAAAAQAxEf/aAAgBAQABPyET
    mTt//9oADAMBAAIAAwAAABD/AP/EABYRAQEBAAAAAAAAAAAAAAAAAAEAQf/aAAgBAwEBPxB0Nv/EABURAQEAAAAAAAAA
    AAAAAAAAAAEA/9oACAECAQE/EFv/xAAYEAEAAwEAAAAAAAAAAAAAAAABABExcf/aAAgBAQABPxA4GzyUUmT/2Q==
    """
)
JPEG_EXIF = _decode(
    """
    /9j/4QFmRXhpZgAASUkqAAgAAAABABIBAwABAAAABgAAABoAAAACAAECBAABAAAAOAAAAAICBAABAAAAJgEAAAAAAAD/
    2P/gABBKRklGAAEBAAABAAEAAP/bAEMAUDc8RjwyUEZBRlpVUF94yIJ4bm549a+5kcj/////////////////////////
    ///////////////////////////bAEMBVVpaeGl464KC6///////////////////////////////////////////////
    ///////////////////////////AABEIAAIABAMBIgACEQEDEQH/xAAVAAEBAAAAAAAAAAAAAAAAAAAAAv/EABcQAQEB
    AQAAAAAAAAAAAAAAAAABAhH/xAAVAQEBAAAAAAAAAAAAAAAAAAABAv/EABYRAQEBAAAAAAAAAAAAAAAAAAABMf/aAAwD
    AQACEQMRAD8AnMnAEG6//9n/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVl
    ZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSk
    pKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAHAA0DASIAAhEBAxEB/8QAFgABAQEAAAAAAAAA
    AAAAAAAAAAME/8QAGRAAAwEBAQAAAAAAAAAAAAAAAAECETFx/8QAFQEBAQAAAAAAAAAAAAAAAAAABAX/xAAYEQADAQEA
    AAAAAAAAAAAAAAAAAQIDQf/aAAwDAQACEQMRAD8AzRcKUnOvwnWOm1wAE2U4ymKdLp//2Q==
    """
)
GIF = _decode(
    """
    R0lGODdhDQAHAIEAABS0WsgoAAAAAAAAACwAAAAADQAHAAAIGwADCBxIsCCAgwgBFAyQEOHChgcfQlxIsaLFgAA7
    """
)
GIF_ANIMATED = _decode(
    """
    R0lGODlhDQAHAIEAABS0WsgoAAAAAAAAACH/C05FVFNDQVBFMi4wAwEAAAAh+QQACgAAACwAAAAADQAHAAAIGwADCBxI
    sCCAgwgBFAyQEOHChgcfQlxIsaLFgAAh+QQBCgACACwAAAAADQAHAIEUtFrIKAMAAAAAAAAIGwADCBxIsOBAAQgFGDyY
    cKHAhAodQnRIseLAgAAh+QQBCgACACwAAAAADQAHAIEUtFrIKAYAAAAAAAAIIAADCBxIsGAAAAAEKBRg8GDChQ0RLmRo
    UCLEhhgzFgwIADs=
    """
)
WEBP = _decode(
    """
    UklGRkAAAABXRUJQVlA4IDQAAACQAQCdASoNAAcAB0CWJbACdACBhYAA/YfuCM4hOvuT2mqqe30cdSHb9xEjbH4Bnh72
    KcAA
    """
)
WEBP_LOSSLESS = _decode(
    """
    UklGRioAAABXRUJQVlA4TB4AAAAvDIABAA9wFMYzIY/W/IcWyKRtUv+Wd05ERP+D9QA=
    """
)
WEBP_ANIMATED = _decode(
    """
    UklGRhYBAABXRUJQVlA4WAoAAAACAAAADAAABgAAQU5JTQYAAAAAAAAAAABBTk1GTAAAAAAAAAAAAAwAAAYAAGQAAAJW
    UDggNAAAAFABAJ0BKg0ABwAHQJYlsAAEdAAA/t/M12iL258C39/1VT2+jn8RacIuZk9TvFI5fexTgABBTk1GPgAAAAEA
    AAAAAAIAAAQAAGQAAABWUDggJgAAADQBAJ0BKgMABQAAAJYloAADcAD+4cN/9eqW3LRv/6u+x/z1cAAAQU5NRlAAAAAB
    AAAAAAACAAAEAABkAAAAVlA4IDgAAABUAQCdASoDAAUAAACWJbAABHQAAP6ATbHP/Og8czbF4l6e30Hxcv/yXcE9ZTtA
    aKjIcJ2GrEIAAA==
    """
)
AVIF = _decode(
    """
    AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAA
    AAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAALQAAAChpaW5mAAAAAAABAAAA
    GmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAADQAAAAcAAAAQcGl4aQAA
    AAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAANW1kYXQS
    AAoIGAyzNEBDQaEyHx7Hh4VZ3///4sCuAO9gdJWBGzbPG7DzvTQBgjL1muw=
    """
)
AVIF_ANIMATED = _decode(
    """
    AAAALGZ0eXBhdmlzAAAAAGF2aWZhdmlzbXNmMWlzbzhtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAA
    AAAAcGljdAAAAAAAAAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAPpAAAAKAAAAChp
    aW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAADQAA
    AAcAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQB
    AoMEAAACym1vb3YAAAB4bXZoZAEAAAAAAAAA5yjB5AAAAADnKMHkAAAD6P//////////AAEAAAEAAAAAAAAAAAAAAAAB
    AAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAJKdHJh
    awAAAGh0a2hkAQAAAQAAAADnKMHkAAAAAOcoweQAAAABAAAAAP//////////AAAAAAAAAAAAAAAAAAAAAAABAAAAAAAA
    AAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAQAAAAAANAAAABwAAAAAALGVkdHMAAAAkZWxzdAEAAAEAAAABAAAAAAAAASwA
    AAAAAAAAAAABAAAAAAGubWRpYQAAACxtZGhkAQAAAAAAAADnKMHkAAAAAOcoweQAAAPoAAAAAAAAASxVxAAAAAAAIWhk
    bHIAAAAAAAAAAHBpY3QAAAAAAAAAAAAAAAAAAAABWW1pbmYAAAAUdm1oZAAAAAEAAAAAAAAAAAAAACRkaW5mAAAAHGRy
    ZWYAAAAAAAAAAQAAAAx1cmwgAAAAAQAAARlzdGJsAAAAlXN0c2QAAAAAAAAAAQAAAIVhdjAxAAAAAAAAAAEAAAAAAAAA
    AAAAAAAAAAAAAA0ABwBIAAAASAAAAAAAAAABCkFPTSBDb2RpbmcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGP//AAAADGF2
    MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABBjY3N0AAAAAHwAAAAAAAAYc3R0cwAAAAAAAAABAAAAAwAAAGQAAAAc
    c3RzYwAAAAAAAAABAAAAAQAAAAMAAAABAAAAIHN0c3oAAAAAAAAAAAAAAAMAAAAoAAAAGQAAABgAAAAUc3RjbwAAAAAA
    AAABAAAD6QAAABRzdHNzAAAAAAAAAAEAAAABAAAAYW1kYXQSAAoMAAAAAZZja+ZAQ0GhMhYQAOeAUUAALLrgIDQpcfC0
    7vQX7NL8EgAyFTADwIAAAAbyAHHAACwK4AgAv+YRLBIAMhQwBcEEAAAG8gBRQAAsAAAIAOCBQA==
    """
)
HEIC = _decode(
    """
    AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAVZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAA
    AAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAABegABAAAAAAAAADEAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABo
    dmMxAAAAAA5waXRtAAAAAAABAAAA1mlwcnAAAAC3aXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEA
    GEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoCiBBZbqSSmubgIaDAgAAAMAyAAA
    AwAIQGIAAQAHRAHBcrAiQAAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABQAAAAQAAAABBwaXhpAAAAAAMI
    CAgAAAAXaXBtYQAAAAAAAAABAAEEgQIDBAAAADltZGF0AAAALSgBrwSYNlHj19Lg3jJgb/2LLr6DeJ/3cwWjncS86gov
    n3Pb73ghzpugUenBOA==
    """
)

# (name, bytes, MIME type, frames)
ALL = [
    ("png", png(), "image/png", 1),
    ("apng", apng(), "image/png", 3),
    ("jpeg", JPEG, "image/jpeg", 1),
    ("jpeg progressive", JPEG_PROGRESSIVE, "image/jpeg", 1),
    ("jpeg with thumbnail", JPEG_EXIF, "image/jpeg", 1),
    ("gif", GIF, "image/gif", 1),
    ("gif animated", GIF_ANIMATED, "image/gif", 3),
    ("webp", WEBP, "image/webp", 1),
    ("webp lossless", WEBP_LOSSLESS, "image/webp", 1),
    ("webp animated", WEBP_ANIMATED, "image/webp", 3),
    ("bmp", bmp(), "image/bmp", 1),
    ("bmp top-down", bmp(top_down=True), "image/bmp", 1),
    ("tiff", tiff(directory_first=True), "image/tiff", 1),
    ("tiff streamed", tiff(directory_first=False), "image/tiff", 1),
    ("avif", AVIF, "image/avif", 1),
    ("avif animated", AVIF_ANIMATED, "image/avif", 3),
    ("heic", HEIC, "image/heic", 1),
]
# a TIFF may hold its pixels anywhere, so its cuts do not show
WITH_AN_END = [sample for sample in ALL if sample[2] != "image/tiff"]
