"""Colour profiles, made here byte by byte: ICC.1:2022, version 2 of the format."""

import struct

_D50 = (0.9642, 1.0, 0.8249)
_SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
_ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


def _profile(space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"Test\0" + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": _xyz(_D50),
        **tags,
    }
    table, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        table += struct.pack(">4sII", name, at + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = 128 + len(table) + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x02100000, b"mntr", space, connection)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">3i", *(round(value * 65536) for value in _D50))
    return head + bytes(128 - len(head)) + table + body


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _gamma(value: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(value * 256))


def _matrix(colours: tuple[tuple[float, float, float], ...], gamma: float) -> bytes:
    tags = {name + b"XYZ": _xyz(colour) for name, colour in zip((b"r", b"g", b"b"), colours)}  # noqa: B905
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _gamma(gamma))
    return _profile(b"RGB ", b"XYZ ", tags)


def _cmyk() -> bytes:
    """A press of its own: the inks are weaker than a naive conversion takes them for."""
    identity = bytes(range(256))
    grid = b""
    for number in range(16):
        cyan, magenta, yellow, black = (number >> bit & 1 for bit in (3, 2, 1, 0))
        light = (1 - 0.45 * cyan) * (1 - 0.5 * magenta) * (1 - 0.1 * yellow) * (1 - 0.85 * black)
        a = 128 + (60 * magenta - 35 * cyan) * (1 - 0.8 * black)
        b = 128 + (75 * yellow - 45 * cyan) * (1 - 0.8 * black)
        grid += bytes([round(255 * light), round(a), round(b)])
    matrix = struct.pack(">9i", *(65536, 0, 0, 0, 65536, 0, 0, 0, 65536))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + identity * 4 + grid + identity * 3
    return _profile(b"CMYK", b"Lab ", {b"A2B0": table})


SRGB = _matrix(_SRGB, 2.2)
DISPLAY_P3 = _matrix(_P3, 2.2)
ADOBE_RGB = _matrix(_ADOBE, 2.19921875)
SWAPPED = _matrix((_SRGB[1], _SRGB[2], _SRGB[0]), 2.2)
"""Its red is green, its green is blue, its blue is red: who ignores it is seen at once."""
GREY = _profile(b"GRAY", b"XYZ ", {b"kTRC": _gamma(1.0)})
CMYK = _cmyk()
