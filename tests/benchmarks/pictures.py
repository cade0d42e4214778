"""Many distinct pictures of one size, cheaply: they differ in a few bytes near their end."""

import functools
import hashlib
import struct
import zlib
from dataclasses import dataclass

_END = 12
"""Bytes of a PNG's last chunk."""
_MARK = 20
"""Bytes of the chunk that tells pictures apart."""


@dataclass(frozen=True)
class Numbered:
    """The picture with this number, of this size in bytes."""

    number: int
    size: int

    @property
    def parts(self) -> tuple[bytes, bytes]:
        """Its bytes: those that all pictures of its size start with, and its own."""
        start, end, _ = _base(self.size)
        mark = b"nuMb" + struct.pack(">Q", self.number)
        return start, struct.pack(">I", 8) + mark + struct.pack(">I", zlib.crc32(mark)) + end

    @property
    def data(self) -> bytes:
        """Its bytes."""
        return b"".join(self.parts)

    @property
    def name(self) -> str:
        """What QQ calls it: its MD5."""
        digest = _base(self.size)[2].copy()
        digest.update(self.parts[1])
        return f"{digest.hexdigest().upper()}.png"


@functools.cache
def _base(size: int) -> tuple[bytes, bytes, "hashlib._Hash"]:
    # not above, for NoneBot must load the plugin before anybody imports it
    from nonebot_plugin_qqimage.simulator.pictures import noise_png

    data = noise_png(size - _MARK, seed=size)
    start, end = data[:-_END], data[-_END:]
    return start, end, hashlib.md5(start, usedforsecurity=False)
