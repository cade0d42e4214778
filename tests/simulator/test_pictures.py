import struct
import zlib

import pytest

from nonebot_plugin_qqimage.simulator import pictures


@pytest.mark.parametrize("data", [pictures.png(33, 17), pictures.noise_png(5000)])
def test_a_png_holds_together(data: bytes) -> None:
    chunks = _chunks(data)
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + 3 * width)


def test_seeds_make_distinct_pictures_and_the_same_ones_again() -> None:
    assert len({pictures.png(seed=seed) for seed in range(20)}) == 20
    assert len({pictures.noise_png(500, seed=seed) for seed in range(20)}) == 20
    assert pictures.png(seed=3) == pictures.png(seed=3)


@pytest.mark.parametrize("size", [100, 1000, 65_536, 65_537, 1_234_567])
def test_noise_has_the_size_asked_for(size: int) -> None:
    data = pictures.noise_png(size)
    assert len(data) == size
    assert b"IDAT" in data[:100]
    assert len(zlib.compress(data, 1)) > size * 0.9


def test_noise_has_a_least_size() -> None:
    with pytest.raises(ValueError, match="at least"):
        pictures.noise_png(10)


def _chunks(data: bytes) -> dict[bytes, bytes]:
    chunks: dict[bytes, bytes] = {}
    position = 8
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        content = data[position + 8 : position + 8 + length]
        (check,) = struct.unpack_from(">I", data, position + 8 + length)
        assert zlib.crc32(kind + content) == check
        chunks[kind] = content
        position += 12 + length
    return chunks
